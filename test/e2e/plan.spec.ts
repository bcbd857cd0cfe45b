/**
 * Goal: a plan of several tasks is done by several nodes, in order, and survives the death of its coordinator (R21). Method: real processes count the words of
 * a text; the records of the plan and of each task tell who did what after what, and replay to the same bytes.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addArtifact, countWords, decodeCounts, fetchArtifact } from '../../src/agents/index.ts'
import type { ThreadView } from '../../src/core/swarm/index.ts'
import { type PlanReport, packageRoot, type Testnet } from '../../src/testnet/index.ts'
import {
  endOf,
  freshFolder,
  nodeOf,
  runCli,
  SHORT_WINDOWS,
  startTestnet,
  stopTestnet,
  viewWhen
} from '../support/testnet.ts'

const TTL_MS = 110_000

describe('e2e/plan', () => {
  const folder = freshFolder()
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** A real text, of as many parts. */
  const text = (parts: number): Uint8Array => {
    const names = ['group', 'thread', 'envelope', 'record', 'raft', 'policy']
    const paths = names.map(name => join(packageRoot(), 'protocols', name, 'README.md'))
    return Buffer.concat(paths.map(path => readFileSync(path))).subarray(0, parts * 16_000)
  }

  it('is done by several nodes in order, and every record of it replays to the same bytes', async () => {
    const path = join(folder, 'text.txt')
    writeFileSync(path, text(3))
    const { status, stdout, stderr } = await runCli([
      ...['testnet', 'demo', '--plan', path, '--json'],
      ...['--dir', join(folder, 'demo')]
    ])
    assert.equal(status, 0, stderr)
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as PlanReport
    assert.deepEqual(report.problems, [])
    assert.equal(report.phase, 'FINAL')
    assert.ok(report.workers.length >= 2, `workers: ${report.workers}`)
    assert.ok(!report.workers.includes(report.coordinator ?? ''), 'nobody pays itself')
    assert.ok(report.tasks.length >= 4)
    for (const { task, isInOrder, replay } of report.tasks)
      assert.ok(isInOrder && replay.finalizeBytesEqual, task)
    const merge = report.tasks.at(-1)
    assert.equal(merge?.waitsFor.length, report.tasks.length - 2)
    const [counts] = decodeCounts(readFileSync(report.resultPath ?? ''))
    assert.deepEqual(new Map(counts), new Map([...countWords(text(3))].sort(byWord)))
  })

  describe('among five nodes', () => {
    let testnet: Testnet
    before(async () => {
      testnet = await startTestnet({
        capability: 'text/word-count',
        more: ['text/split', 'text/count-words', 'text/merge-counts'],
        workers: 4
      })
    })
    after(() => stopTestnet(testnet))

    const state = async (windows: { readonly bidMs?: number }): Promise<string> => {
      const { client } = testnet.first
      const inputCid = await addArtifact(client, text(2), { name: 'text' })
      const { thread } = await client.call('need.state', {
        capability: 'text/word-count',
        inputCid,
        windows: { ...SHORT_WINDOWS, leaseTtlMs: 4000, ...windows },
        ttlMs: TTL_MS
      })
      return thread
    }

    it('is finished by a coordinator that was killed and comes back, and no task is stated twice', async () => {
      const { first } = testnet
      const thread = await state({})
      const before = await viewWhen(first, thread, view => view.lease !== null, 30_000)
      const coordinator = nodeOf(testnet, before.lease?.holder)
      await viewWhen(first, thread, view => (view.lease?.progress ?? 0) > 0, 60_000)
      await coordinator.kill()
      await coordinator.start(new AbortController().signal)
      const end = await endOf(first, thread, TTL_MS)
      assert.equal(end.phase, 'FINAL', end.reason)
      assert.equal(end.commit?.worker, coordinator.did)
      const output = await fetchArtifact(first.client, end.commit?.outputs[0] ?? '')
      const [counts] = decodeCounts(output)
      assert.deepEqual(new Map(counts), new Map([...countWords(text(2))].sort(byWord)))
      const stated = await coordinator.client.call('threads.list', {})
      const tasks = stated.filter(({ slot }) => slot.includes(`@${thread.slice(-16)}.`))
      assert.equal(new Set(tasks.map(({ slot }) => slot)).size, tasks.length)
      const done = tasks.filter(({ phase }) => phase === 'FINAL').map(({ slot }) => taskOf(slot))
      assert.deepEqual(done.sort(), ['count-1', 'count-2', 'merge', 'split'])
    })

    it('tells what became of the plans that were bid in an epoch that was left', async () => {
      const { first } = testnet
      await testnet.connected()
      const thread = await state({ bidMs: 5000 })
      await viewWhen(
        first,
        thread,
        ({ group, proposals }) => group !== null && proposals.length > 1,
        30_000
      )
      await first.client.call('need.reform', { thread })
      const isTold = (view: ThreadView): boolean => view.reconciles.length > 0
      for (const node of testnet.running) {
        const { epoch, decide, proposals, reconciles } = await viewWhen(
          node,
          thread,
          isTold,
          60_000
        )
        assert.equal(epoch, 1)
        const [told] = reconciles
        assert.equal(told?.sender, decide?.worker)
        assert.ok(told?.merged.includes(decide?.proposal ?? ''))
        assert.ok((told?.orphaned.length ?? 0) > 0)
        for (const lost of told?.orphaned ?? [])
          assert.ok(proposals.some(({ id }) => id === lost && id !== decide?.proposal))
      }
      const shown = await runCli(['thread', thread, '--plan', '--home', first.home])
      assert.match(shown.stdout, /RECONCILE +by …\w{8} +merged \d+, orphaned [1-9]/u)
    })
  })
})

/** The task that a slot is for. */
function taskOf(slot: string): string {
  return slot.replace(/^.*\/([^/]*)@.*$/u, '$1')
}

function byWord([a]: [string, number], [b]: [string, number]): number {
  return a < b ? -1 : 1
}
