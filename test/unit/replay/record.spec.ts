/**
 * Goal: a record proves what happened, and nothing in it can be changed unseen. Method: a thread that ran in the virtual world is written,
 * checked and replayed; then the file is damaged in every way that a liar or a disk would.
 */
import { strict as assert } from 'node:assert'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { useNodeSha256 } from '../../../src/adapters/sha256/index.ts'
import { cidOf } from '../../../src/core/codec/index.ts'
import { checkRecord, type Report } from '../../../src/replay/check-record.ts'
import { RecordMissingError, writeNewRecord, writeRecord } from '../../../src/replay/index.ts'
import { finishedThread } from '../../support/finished-thread.ts'
import { NO_POLICIES } from '../../support/record-header.ts'
import { testVerify } from '../../support/swarm-cluster.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const world = finishedThread()

function replay(path: string): Promise<Report> {
  return checkRecord(path, { verify: testVerify, policies: false, replay: true })
}

describe('replay: the record of a thread', () => {
  before(() => useNodeSha256())
  const folder = temporaryFolder()
  const write = async (name: string): Promise<string> => {
    const path = join(folder.path, name)
    const record = world.node.swarm.record(world.thread)
    assert(record !== undefined)
    await writeRecord(path, { thread: world.thread, ...NO_POLICIES, ...record }, world.node.keys)
    return path
  }
  const damaged = async (change: (lines: string[]) => string[]): Promise<Report> => {
    const path = await write('damaged.jsonl')
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    await writeFile(path, `${change(lines).join('\n')}\n`)
    return replay(path)
  }

  it('writes to a path that a user chose, and never over what stands there', async () => {
    const record = world.node.swarm.record(world.thread)
    assert(record !== undefined)
    const writeNew = (name: string): Promise<number> =>
      writeNewRecord(
        join(folder.path, name),
        { thread: world.thread, ...NO_POLICIES, ...record },
        world.node.keys
      )
    assert((await writeNew('new.jsonl')) > 0)
    assert((await replay(join(folder.path, 'new.jsonl'))).ok)
    await writeFile(join(folder.path, 'mine.txt'), 'mine')
    await mkdir(join(folder.path, 'taken'))
    const before = (await readdir(folder.path)).sort()
    await assert.rejects(writeNew('mine.txt'), { code: 'TARGET_EXISTS' })
    await assert.rejects(writeNew('taken'), { code: 'TARGET_EXISTS' })
    await assert.rejects(writeNew('missing/new.jsonl'), { code: 'PATH_NOT_FOUND' })
    await assert.rejects(writeNew('mine.txt/new.jsonl'), { code: 'PATH_NOT_FOUND' })
    assert.equal(await readFile(join(folder.path, 'mine.txt'), 'utf8'), 'mine')
    assert.deepEqual((await readdir(folder.path)).sort(), before)
  })

  it('replays to the same FINALIZE bytes', async () => {
    const report = await replay(await write('good.jsonl'))
    assert.deepEqual(report.problems, [])
    assert(report.ok && report.finalizeBytesEqual && report.complete)
    assert.equal(report.thread, world.thread)
    assert.equal(report.outcome?.result, 'FINAL')
    assert(report.decide !== null && report.decide.signers.length >= 3)
  })

  it('says the same at every node of the network', async () => {
    for (const node of world.cluster.nodes) {
      const path = join(folder.path, `${node.index}.jsonl`)
      const record = node.swarm.record(world.thread)
      assert(record !== undefined)
      await writeRecord(path, { thread: world.thread, ...NO_POLICIES, ...record }, node.keys)
      const report = await replay(path)
      assert(report.ok, JSON.stringify(report.problems))
    }
  })

  it('refuses a removed, repeated, swapped and cut line, each with its reason', async () => {
    const codes = async (change: (lines: string[]) => string[]): Promise<string | undefined> =>
      (await damaged(change)).problems[0]?.code
    assert.equal(await codes(lines => lines.toSpliced(5, 1)), 'RECORD_ORDER')
    assert.equal(await codes(lines => lines.toSpliced(5, 0, lines[5] as string)), 'RECORD_ORDER')
    assert.equal(
      await codes(lines => lines.with(4, lines[5] as string).with(5, lines[4] as string)),
      'RECORD_ORDER'
    )
    assert.equal(await codes(lines => lines.slice(0, -1)), 'RECORD_TRUNCATED')
    assert.equal(await codes(lines => [...lines, lines.at(-1) as string]), 'RECORD_AFTER_END')
  })

  it('refuses a version that it does not know, and says which it knows', async () => {
    for (const [field, found] of [
      ['version', '3'],
      ['protocol', '9']
    ]) {
      const { problems } = await damaged(lines =>
        lines.with(
          0,
          (lines[0] as string).replace(new RegExp(`"${field}":\\d`, 'u'), `"${field}":${found}`)
        )
      )
      const [problem] = problems
      assert.deepEqual(
        [problem?.code, problem?.field, problem?.found],
        ['RECORD_VERSION', field, found]
      )
    }
  })

  it('refuses blocks that take more than a record may bring along', async () => {
    const { thread, node } = world
    const record = node.swarm.record(thread)
    assert(record !== undefined)
    const block = (at: number): [string, Uint8Array] => {
      const bytes = new Uint8Array(1_000_000).fill(at)
      return [cidOf(bytes, 0x55).toString(), bytes]
    }
    const path = join(folder.path, 'blocks.jsonl')
    const blocks = new Map(Array.from({ length: 17 }, (_, at) => block(at)))
    await writeRecord(path, { thread, ...NO_POLICIES, ...record, blocks }, node.keys)
    const [problem] = (await replay(path)).problems
    assert.deepEqual([problem?.code, problem?.line], ['RECORD_BLOCKS', 17])
  })

  it('refuses a file that is cut inside a line, and one that is no record', async () => {
    const path = await write('cut.jsonl')
    const text = await readFile(path)
    await writeFile(path, text.subarray(0, text.length - 20))
    assert.equal((await replay(path)).problems[0]?.code, 'RECORD_TRUNCATED')
    await writeFile(path, Buffer.concat([text, text.subarray(0, 20)]))
    assert.equal((await replay(path)).problems[0]?.code, 'RECORD_TRUNCATED')
    await writeFile(path, 'hello\n')
    assert.equal((await replay(path)).problems[0]?.code, 'RECORD_LINE')
    await writeFile(path, '')
    assert.equal((await replay(path)).problems[0]?.code, 'RECORD_TRUNCATED')
    await assert.rejects(replay(join(folder.path, 'nothing.jsonl')), RecordMissingError)
  })

  it('refuses a forged end: a record signed anew by a liar still needs the certificate', async () => {
    const path = join(folder.path, 'forged.jsonl')
    const record = world.node.swarm.record(world.thread)
    assert(record !== undefined)
    // The liar drops the last entry before the outcome and signs every line with its own key.
    const last = record.items.findLastIndex(item => item.type === 'entry')
    const items = record.items.toSpliced(last, 1)
    await writeRecord(
      path,
      { thread: world.thread, ...NO_POLICIES, items, complete: true },
      world.node.keys
    )
    const report = await replay(path)
    assert.equal(report.problems[0]?.code, 'REPLAY_OUTCOME')
  })

  it('refuses the word that a record is complete, of one that does not come to the end', async () => {
    const path = join(folder.path, 'cut.jsonl')
    const record = world.node.swarm.record(world.thread)
    assert(record !== undefined)
    const first = record.items.findIndex(item => item.type === 'entry')
    const write = (complete: boolean, items = record.items.slice(0, first + 3)) =>
      writeRecord(path, { thread: world.thread, ...NO_POLICIES, items, complete }, world.node.keys)
    const verify = () => checkRecord(path, { verify: testVerify, policies: false, replay: false })
    await write(true)
    const report = await verify()
    assert.deepEqual(
      report.problems.map(({ code }) => code),
      ['REPLAY_INCOMPLETE']
    )
    await write(false)
    assert.deepEqual([(await verify()).ok, (await verify()).complete], [true, false])
    await write(true, [...record.items])
    assert.deepEqual([(await verify()).ok, (await verify()).complete], [true, true])
  })
})
