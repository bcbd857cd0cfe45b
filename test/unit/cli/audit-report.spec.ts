// Goal: who reads what "audit verify" says learns all that was found. Method: records of a thread of a virtual network: one still open, one whose requester did not raise
// its Lamport value, and that one cut.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Draft, readEnvelope } from '../../../src/core/envelope/index.ts'
import type { RecordItem } from '../../../src/core/swarm/index.ts'
import { writeRecord } from '../../../src/replay/index.ts'
import { runCommand } from '../../support/cli-runner.ts'
import { finishedThread } from '../../support/finished-thread.ts'
import { NO_POLICIES } from '../../support/record-header.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('cli/audit', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  const { cluster, node, thread } = finishedThread()
  const { items = [] } = node.swarm.record(thread) ?? {}

  async function write(some: readonly RecordItem[], complete: boolean): Promise<string> {
    const path = join(folder.path, 'record.jsonl')
    await writeRecord(path, { thread, ...NO_POLICIES, items: some, complete }, node.keys)
    return path
  }

  /** The record with its end as the requester said it, with a value that it had before. */
  function disordered(): RecordItem[] {
    return items.map((item): RecordItem => {
      const read = item.type === 'envelope' ? readEnvelope(item.bytes) : null
      if (item.type !== 'envelope' || read?.ok !== true) return item
      const { envelope } = read.value
      if (envelope.verb !== 'FINALIZE') return item
      return { ...item, bytes: cluster.seal(node.keys, envelope as unknown as Draft, 0).bytes }
    })
  }

  it('verify says of a sound record whether its thread has ended', async () => {
    const first = items.findIndex(({ type }) => type === 'entry')
    const open = await runCommand([
      'audit',
      'verify',
      await write(items.slice(0, first + 3), false)
    ])
    assert.equal(open.code, 0)
    assert.match(open.stdout, /^ok .*; the thread has not ended in this record$/mu)
    const ended = await runCommand(['audit', 'verify', await write(items, true)])
    assert.match(ended.stdout, /^ok {2}\d+ events$/mu)
  })

  it('verify names who did not raise its Lamport value, also when something else is wrong', async () => {
    const path = await write(disordered(), true)
    const { stdout, code } = await runCommand(['audit', 'verify', path, '--json'])
    assert.equal(code, 1)
    const { problems } = JSON.parse(stdout) as { problems: { code: string; sender: string }[] }
    assert.deepEqual(
      problems.map(({ code, sender }) => [code, sender]),
      [['REPLAY_LAMPORT', node.did]]
    )
    const alone = await runCommand(['audit', 'verify', path])
    assert.equal(alone.stdout.split('REPLAY_LAMPORT').length, 2, 'once')
    await writeFile(path, (await readFile(path)).subarray(0, -10))
    const cut = await runCommand(['audit', 'verify', path])
    assert.match(cut.stdout, /RECORD_TRUNCATED/u)
    assert.match(cut.stdout, /REPLAY_LAMPORT/u)
  })
})
