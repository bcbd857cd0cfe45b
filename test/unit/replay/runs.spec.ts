/**
 * Goal: a long check can be cut off and gone on with, on any number of threads, and two nodes' records can be compared. Method: a thread of 600 events
 * with real policies, checked by threads, interrupted and resumed; records of two nodes, as they are and with something left out.
 */
import { strict as assert } from 'node:assert'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import {
  diffRecords,
  type Report,
  replayRecord,
  verifyRecord,
  writeRecord
} from '../../../src/replay/index.ts'
import { finishedThread } from '../../support/finished-thread.ts'
import { longThread } from '../../support/long-thread.ts'
import { realPolicy } from '../../support/real-policy.ts'
import { NO_POLICIES } from '../../support/record-header.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** Enough for three chunks. */
const EVENTS = 600

describe('replay: long runs', function () {
  this.timeout(300_000)
  // One folder for all: the record is made once.
  let folder = ''
  let path = ''
  let whole: Report
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'can-swarm-'))
    const policy = realPolicy()
    const thread = longThread(EVENTS, policy)
    path = join(folder, 'long.jsonl')
    const { engine, capsule: base } = policy
    await writeRecord(path, { ...thread, base, engine }, thread.keys)
    whole = await verifyRecord(path)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('give the same report on one thread and on several', async () => {
    const one = await replayRecord(path, { jobs: 1 })
    assert.deepEqual(one.problems, [])
    assert(one.policies > EVENTS - 10)
    assert.deepEqual(one.gates, { same: 3, differing: [], missing: null })
    assert.deepEqual(await replayRecord(path, { jobs: 3 }), one)
  })

  it('end their threads when the file turns out to be no record', async () => {
    const other = join(folder, 'other.jsonl')
    writeFileSync(other, '{}\n'.repeat(1000))
    const threads: Worker[] = []
    const note = (thread: Worker): void => void threads.push(thread)
    process.on('worker', note)
    const { problems } = await replayRecord(other, { jobs: 3 })
    process.off('worker', note)
    assert.deepEqual([problems[0]?.line, problems[0]?.code], [0, 'RECORD_LINE'])
    assert.deepEqual(
      threads.map(({ threadId }) => threadId),
      [-1, -1]
    )
  })

  it('go on where they were interrupted, and say the same in the end', async () => {
    const resume = join(folder, 'progress.json')
    const stop = new AbortController()
    const interrupted = verifyRecord(path, {
      resume,
      jobs: 1,
      signal: stop.signal,
      onProgress: () => stop.abort(new RangeError('interrupted'))
    })
    await assert.rejects(interrupted, RangeError)
    const kept = JSON.parse(readFileSync(resume, 'utf8')) as { bytes: number }
    assert(kept.bytes > 0)
    assert.deepEqual(await verifyRecord(path, { resume, jobs: 1 }), whole)
    assert(!existsSync(resume), 'a run that is done keeps nothing')
  })

  it('do not believe what another file, or a check without policies, has come to', async () => {
    const resume = join(folder, 'other.json')
    const keep = (policies: boolean, hash: string): void =>
      writeFileSync(
        resume,
        JSON.stringify({ version: 1, policies, bytes: 262_000, hash, evaluated: 5 })
      )
    keep(true, 'ab'.repeat(32))
    assert.deepEqual(await verifyRecord(path, { resume }), whole)
    keep(false, 'ab'.repeat(32))
    assert((await replayRecord(path, { resume })).policies > EVENTS - 10)
    writeFileSync(resume, 'mine')
    await assert.rejects(replayRecord(path, { resume }), { code: 'PROGRESS_FILE' })
    assert.equal(readFileSync(resume, 'utf8'), 'mine')
  })

  it('name the damaged line among thousands, whichever thread looks at it', async () => {
    const lines = readFileSync(path, 'utf8').split('\n')
    const at = EVENTS - 200
    lines[at] = (lines[at] as string).replace('"lamport":', '"lamport":1')
    const damaged = join(folder, 'damaged.jsonl')
    writeFileSync(damaged, lines.join('\n'))
    const { problems } = await verifyRecord(damaged, { jobs: 3 })
    assert.deepEqual(
      problems.map(({ line, code }) => [line, code]),
      [[at, 'RECORD_CID']]
    )
  })
})

describe('replay: records of two nodes', () => {
  const folder = temporaryFolder()
  const world = finishedThread()
  const write = async (index: number, leaveOut: number | null = null): Promise<string> => {
    const node = world.cluster.nodes[index]
    const record = node?.swarm.record(world.thread)
    assert(node !== undefined && record !== undefined)
    const items = leaveOut === null ? record.items : record.items.toSpliced(leaveOut, 1)
    const path = join(folder.path, `${index}-${leaveOut}.jsonl`)
    await writeRecord(
      path,
      { thread: world.thread, ...NO_POLICIES, complete: true, items },
      node.keys
    )
    return path
  }

  it('are the same, whoever wrote them', async () => {
    const { same, differences, nodes } = await diffRecords(await write(0), await write(3))
    assert.deepEqual(differences, [])
    assert(same && nodes[0] !== nodes[1])
  })

  it('differ by what one of them lacks, named by event and line', async () => {
    const found = await diffRecords(await write(0), await write(3, 1))
    assert(!found.same)
    const [first] = found.differences
    assert.match(first?.event ?? '', /^FORM bafy/u)
    assert.deepEqual([first?.kind, first?.left, first?.right], ['only-left', 2, null])
  })

  it('differ by an envelope that is another one under the same id, named by its field', async () => {
    const path = await write(0)
    const changed = join(folder.path, 'changed.jsonl')
    writeFileSync(changed, readFileSync(path, 'utf8').replace('"notAfter":1', '"notAfter":2'))
    const found = await diffRecords(path, changed)
    assert(!found.same)
    assert.match(found.differences[0]?.event ?? '', /^NEED bafy/u)
    assert.equal(found.differences[0]?.field, 'notAfter')
  })

  it('say how far they are, and stop when they are told to', async () => {
    const paths = [await write(0), await write(3, 1)] as const
    const told: number[] = []
    let total = 0
    await diffRecords(...paths, {
      onProgress: ({ bytes, totalBytes }) => {
        told.push(bytes)
        total = totalBytes
      }
    })
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b)
    )
    assert.equal(told.at(-1), total)
    const reason = new RangeError('enough')
    const stopping = new AbortController()
    const onProgress = (): void => stopping.abort(reason)
    // The first piece is all of the left one; the right one is not read any more.
    await assert.rejects(
      diffRecords(...paths, { signal: stopping.signal, onProgress }),
      error => error === reason
    )
  })

  it('that have nothing in common tell the first differences, and how many more there are', async () => {
    const whole = await write(0)
    const other = join(folder.path, 'other.jsonl')
    const lines = readFileSync(whole, 'utf8').split('\n')
    writeFileSync(other, `${lines[0]}\n`)
    const found = await diffRecords(whole, other)
    const named = found.differences.filter(({ kind }) => kind === 'only-left')
    assert.ok(named.length > 5 && named.length <= 100)
    assert.ok(named.every(({ left, right }) => left !== null && right === null))
    assert.deepEqual(found.ends, ['complete', 'cut off'])
    assert.equal(found.differences.at(-1)?.event, 'end')
  })
})
