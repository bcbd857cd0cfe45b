// Goal: a reader does not see whether a thread is in memory or archived. Method: finished threads of a virtual node, read through `Threads`
// before and after they were archived on a real disk.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { levelArchive } from '../../../src/adapters/level/index.ts'
import { Threads } from '../../../src/node/threads.ts'
import type { Archive } from '../../../src/ports/index.ts'
import { writeRecord } from '../../../src/replay/index.ts'
import { encodeArchived } from '../../../src/runtime/index.ts'
import { NO_POLICIES } from '../../support/record-header.ts'
import { script } from '../../support/swarm-agents.ts'
import { give, secondGroup } from '../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../support/swarm-cluster.ts'

const COUNT = 7

describe('node/threads', () => {
  let folder: string
  let archive: Archive
  let cluster: SwarmCluster
  let node: ClusterNode
  let threads: Threads
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'can-swarm-threads-'))
    archive = await levelArchive({ path: join(folder, 'archive') })
    cluster = new SwarmCluster({ nodes: 1, settings: { lingerMs: 60_000 } })
    node = cluster.nodes[0] as ClusterNode
    for (let index = 0; index < COUNT; index++) {
      script(cluster, node, { works: true, verifies: true })
      const draft = cluster.need({ slot: `slot-${index}`, solo: true })
      cluster.command(node, { type: 'state-need', draft })
      const isOver = (): boolean =>
        node.swarm.threadIds().filter(id => node.swarm.view(id)?.phase === 'FINAL').length > index
      assert.ok(cluster.runUntil(isOver, 10_000))
    }
    const voided = node.swarm.threadIds().find(id => node.swarm.view(id)?.slot === 'slot-1')
    give(cluster, [node], secondGroup(cluster, voided ?? '').form)
    give(cluster, [node], secondGroup(cluster, voided ?? '').decide)
    threads = new Threads({ did: node.did, swarm: node.swarm, archive })
  })
  after(async () => {
    await archive.close()
    await rm(folder, { recursive: true })
  })

  async function picture(): Promise<unknown> {
    const list = await threads.list({ limit: 100 })
    const all = []
    for (const { thread } of list) {
      const path = join(folder, 'record.jsonl')
      await writeRecord(
        path,
        { thread, ...NO_POLICIES, ...(await threads.record(thread)) },
        node.keys
      )
      const view = await threads.view(thread)
      all.push({
        view,
        record: await readFile(path, 'utf8'),
        plan: await threads.planChanges(thread),
        certificate: await threads.certificate(thread, 'outcome'),
        envelopes: await Promise.all(view.envelopes.map(({ id }) => threads.envelope(thread, id)))
      })
    }
    const pages: string[] = []
    for (let before: string | undefined; ; before = pages.at(-1)) {
      const page = await threads.list({ limit: 3, before })
      if (page.length === 0) break
      pages.push(...page.map(({ thread }) => thread))
    }
    return { list, all, pages, counts: threads.counts() }
  }

  it('shows the same before, while and after threads are archived', async () => {
    const before = await picture()
    assert.equal((before as { pages: string[] }).pages.length, COUNT)
    const lines = (before as { list: { slot: string; void: unknown }[] }).list
    assert.deepEqual(
      lines.flatMap(line => (line.void === null ? [] : line.slot)),
      ['slot-1'],
      'its requester signed two FORMs'
    )
    const some = (): boolean => node.archive.size > 0
    assert.ok(cluster.runUntil(some, 70_000))
    await archive.put([...node.archive.values()].map(encodeArchived))
    assert.ok(node.archive.size < COUNT)
    assert.deepEqual(await picture(), before, 'some are archived')
    cluster.run(70_000)
    assert.deepEqual(node.swarm.threadIds(), [])
    await archive.put([...node.archive.values()].map(encodeArchived))
    assert.deepEqual(await picture(), before, 'all are archived')
  })

  it('says that a thread is nowhere', async () => {
    await assert.rejects(threads.view('bafy'), { code: 'THREAD_NOT_FOUND' })
    await assert.rejects(threads.list({ limit: 1, before: 'bafy' }), { code: 'THREAD_NOT_FOUND' })
    assert.deepEqual(await threads.planChanges('bafy'), [])
  })

  it('lists open ones without looking into the archive', async () => {
    assert.deepEqual(await threads.list({ limit: 10, open: true }), [])
    cluster.command(node, {
      type: 'state-need',
      draft: cluster.need({ slot: 'other', solo: true })
    })
    cluster.run(100)
    assert.equal((await threads.list({ limit: 10, open: true })).length, 1)
    assert.deepEqual(threads.counts(), { open: 1, ended: COUNT })
  })

  it('lists a thread of which only the end is known, and says so when it is read', async () => {
    const [known] = await threads.list({ limit: 1 })
    assert.ok(known)
    const summary = { ...known, thread: `${known.thread.slice(0, -4)}aaaa`, openedAt: 1 }
    await archive.put([encodeArchived({ summary, records: [] })])
    const list = await threads.list({ limit: 100 })
    assert.deepEqual(list.at(-1), summary)
    assert.deepEqual(await threads.list({ limit: 1, before: summary.thread }), [])
    await assert.rejects(threads.view(summary.thread), { code: 'CHECKPOINT_ONLY' })
    assert.deepEqual(await threads.planChanges(summary.thread), [])
  })
})
