/**
 * Goal: no byte of a record is free, and no file makes a reader fall over. Method: 10,000 random single-byte changes of recorded files, each
 * replayed, and some of a file with its policies as a user replays it; then damage of the other kinds, and a line without end.
 */
import { strict as assert } from 'node:assert'
import { readdirSync, readFileSync } from 'node:fs'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { rememberingVerifier } from '../../../src/adapters/ed25519/index.ts'
import { useNodeSha256 } from '../../../src/adapters/sha256/index.ts'
import type { Effect } from '../../../src/core/swarm/index.ts'
import { checkRecord, type Report } from '../../../src/replay/check-record.ts'
import { LINE_BYTES_MAX } from '../../../src/replay/format.ts'
import { AuditLog, replayRecord } from '../../../src/replay/index.ts'
import { NO_POLICIES } from '../../support/record-header.ts'
import { recordingLogger } from '../../support/recording-logger.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { script } from '../../support/swarm-agents.ts'
import { stateNeed } from '../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster, testVerify } from '../../support/swarm-cluster.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const FOLDER = new URL('../../../protocols/record/vectors/', import.meta.url)
const MUTATIONS = 10_000
/** Of a log, which has more lines. */
const LOG_MUTATIONS = 600
/** Some of them through all of the program: each takes twenty times as long. */
const WHOLE_MUTATIONS = 200
/** A record that brings its policies along, and bytes at its end that hold the events and nothing else. */
const WITH_POLICIES = new URL('../../corpus/solo-0.2.jsonl.gz', import.meta.url)
const EVENTS_BYTES = 18_000
/** Signatures come again in each run; a changed one is looked at. */
const verify = rememberingVerifier(testVerify)

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function replay(bytes: Uint8Array): Promise<Report> {
  return checkRecord(once(bytes), { verify, policies: false, replay: true })
}

describe('replay: damaged records', () => {
  const folder = temporaryFolder()
  const records = readdirSync(FOLDER)
    .filter(name => name.endsWith('.jsonl'))
    .map(name => new Uint8Array(readFileSync(new URL(name, FOLDER))))
  const record = records.reduce((a, b) => (a.length > b.length ? a : b))
  const shortest = records.findIndex(({ length }) => records.every(one => one.length >= length))
  before(() => useNodeSha256())

  it('are sound before they are damaged', async () => {
    for (const sound of records) assert((await replay(sound)).ok)
  })

  it(`are never accepted with one byte changed, ${MUTATIONS} times`, async function () {
    // Half a minute of CPU time; of a busy machine it may get a tenth.
    this.timeout(600_000)
    const random = seededRandom(6)
    for (let count = 0; count < MUTATIONS; count++) {
      // The shortest most often: it has every kind of line but a DECIDE, in a third of the time.
      const which = count % 20 === 0 ? records.indexOf(record) : shortest
      const changed = new Uint8Array(records[which] as Uint8Array)
      const at = random.below(changed.length)
      // A single bit as often as a byte: a bit is what a disk loses.
      const change = count % 2 === 0 ? 1 << random.below(8) : 1 + random.below(255)
      changed[at] = (changed[at] as number) ^ change
      const report = await replay(changed)
      assert(!report.ok && report.problems.length === 1, `byte ${at} was changed unseen`)
    }
  })

  it(`are never accepted with one byte changed as a node logs them, in parts, ${LOG_MUTATIONS} times`, async function () {
    this.timeout(300_000)
    const log = await loggedThread(join(folder.path, 'audit'))
    const text = new TextDecoder().decode(log)
    assert.ok(text.includes('"type":"part"') && /"envelope":null,[^\n]*"type":"entry"/u.test(text))
    const check = (bytes: Uint8Array, replay: boolean): Promise<Report> =>
      checkRecord(once(bytes), { verify, policies: false, replay })
    for (const replay of [false, true]) assert((await check(log, replay)).ok)
    const random = seededRandom(9)
    for (let count = 0; count < LOG_MUTATIONS; count++) {
      const changed = new Uint8Array(log)
      const at = random.below(changed.length)
      changed[at] = (changed[at] as number) ^ (1 << random.below(8))
      const report = await check(changed, count % 2 === 0)
      assert(!report.ok && report.problems.length === 1, `byte ${at} was changed unseen`)
    }
  })

  it(`are not accepted either as users replay them, from a file with its policies, ${WHOLE_MUTATIONS} times`, async function () {
    this.timeout(120_000)
    const sound = new Uint8Array(gunzipSync(readFileSync(WITH_POLICIES)))
    const path = join(folder.path, 'changed.jsonl')
    const judged = async (bytes: Uint8Array): Promise<Report> => {
      await writeFile(path, bytes)
      return replayRecord(path)
    }
    const { ok, policies } = await judged(sound)
    assert(ok && policies > 0)
    // Most of a record with policies are the policies: what they judge is as often changed as they are.
    const events = sound.length - EVENTS_BYTES
    const random = seededRandom(8)
    for (let count = 0; count < WHOLE_MUTATIONS; count++) {
      const changed = new Uint8Array(sound)
      const at = count % 2 === 0 ? events + random.below(EVENTS_BYTES) : random.below(events)
      changed[at] = (changed[at] as number) ^ (1 << random.below(8))
      const report = await judged(changed)
      assert(!report.ok && report.problems.length > 0, `byte ${at} was changed unseen`)
    }
  })

  it('are refused wherever they are cut', async () => {
    const random = seededRandom(7)
    for (let count = 0; count < 100; count++) {
      const report = await replay(record.slice(0, random.below(record.length)))
      assert.equal(report.problems[0]?.code, 'RECORD_TRUNCATED')
    }
  })

  it('are named by line, field, and both sides', async () => {
    const lines = new TextDecoder().decode(record).trimEnd().split('\n')
    const swapped = lines.with(4, lines[5] as string).with(5, lines[4] as string)
    const { problems } = await replay(new TextEncoder().encode(`${swapped.join('\n')}\n`))
    const [problem] = problems
    assert.deepEqual(
      [problem?.line, problem?.code, problem?.field, problem?.expected, problem?.found],
      [4, 'RECORD_ORDER', 'seq', '4', '5']
    )
  })

  it('with a line of two gigabytes are refused at the limit of a line', async () => {
    let given = 0
    const PART = new Uint8Array(64 * 1024).fill(0x61)
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield record.slice(0, record.indexOf(10) + 1)
      for (; given < 2 ** 31; given += PART.length) yield PART
    }
    const report = await checkRecord(endless(), { verify, policies: false, replay: true })
    assert.equal(report.problems[0]?.code, 'RECORD_LINE_TOO_LONG')
    assert(given < 2 * LINE_BYTES_MAX, `${given} bytes were read`)
  })

  it('with a line of two gigabytes are refused from a disk in little memory', async () => {
    const path = join(folder.path, 'long.jsonl')
    await writeFile(path, record.slice(0, record.indexOf(10) + 1))
    // A hole: it takes no room on the disk.
    await truncate(path, 2 ** 31)
    const before = process.memoryUsage().rss
    for (const jobs of [1, 2]) {
      const { problems } = await replayRecord(path, { jobs })
      assert.equal(problems[0]?.code, 'RECORD_LINE_TOO_LONG')
    }
    assert(process.memoryUsage().rss - before < 2 ** 28)
  })
})

/** The bytes of all files of the log that a member of a group kept of a whole thread, one after the other. */
async function loggedThread(directory: string): Promise<Uint8Array> {
  let tell: (node: ClusterNode, effects: readonly Effect[]) => void = () => undefined
  const cluster = new SwarmCluster({
    nodes: 5,
    seed: 3,
    witness: { stepped: (node, _, effects) => tell(node, effects) }
  })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1, verifies: index >= 2 })
  const keeper = cluster.nodes[2] as ClusterNode
  const log = new AuditLog({
    directory,
    source: keeper.swarm,
    signer: keeper.keys,
    logger: recordingLogger(),
    rotateBytes: 8_000,
    ...NO_POLICIES
  })
  tell = (node, effects) => {
    if (node !== keeper) return
    for (const effect of effects) if (effect.kind === 'observe') log.onEvent(effect.event)
  }
  const thread = stateNeed(cluster)
  for (let steps = 0; keeper.swarm.record(thread)?.complete !== true; steps++) {
    assert(steps < 200)
    cluster.run(100)
    await log.flush()
  }
  await log.stop()
  const names = readdirSync(directory).sort()
  return Buffer.concat(names.map(name => readFileSync(join(directory, name))))
}
