/**
 * Goal: a node keeps a log of each thread as things happen, and a crash at any moment leaves one that goes on. Method: machines of the virtual
 * world tell a real log in a temporary folder what happens; files are cut, damaged and rotated; what comes out is replayed.
 */
import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Effect,
  type Input,
  Swarm,
  type SwarmEvent,
  type SwarmInit
} from '../../../src/core/swarm/index.ts'
import { checkRecord, type Report } from '../../../src/replay/check-record.ts'
import { AuditLog, type AuditLogInit, endLogs } from '../../../src/replay/index.ts'
import { NO_POLICIES } from '../../support/record-header.ts'
import { recordingLogger } from '../../support/recording-logger.ts'
import { script } from '../../support/swarm-agents.ts'
import { stateNeed } from '../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster, testVerify } from '../../support/swarm-cluster.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'

/** A machine that tells somebody what happens, as the driver does: after a batch of inputs. */
class Telling extends Swarm {
  tell: AuditLog | null = null
  /** Inputs of one batch: when its first event is told, the machine knows all of them. */
  batch = 1
  #inputs = 0
  #events: SwarmEvent[] = []

  override step(input: Input): readonly Effect[] {
    const effects = super.step(input)
    for (const effect of effects) if (effect.kind === 'observe') this.#events.push(effect.event)
    this.#inputs++
    if (this.#inputs % this.batch === 0)
      for (const event of this.#events.splice(0)) this.tell?.onEvent(event)
    return effects
  }
}

describe('replay: the audit log of a node', () => {
  const folder = temporaryFolder()
  const logger = recordingLogger()
  let count = 0

  /** A world whose node 2, mostly a member of the group, keeps logs. */
  function world(init: Partial<AuditLogInit> = {}) {
    const machine = (of: SwarmInit): Swarm => new Telling(of)
    const cluster = new SwarmCluster({ nodes: 5, seed: 3, machine })
    for (const [index, node] of cluster.nodes.entries())
      script(cluster, node, { works: index === 1, verifies: index >= 2 })
    const node = cluster.nodes[2] as ClusterNode
    const directory = join(folder.path, `audit-${count++}`)
    const open = (): AuditLog =>
      new AuditLog({
        directory,
        source: node.swarm,
        signer: node.keys,
        logger,
        rotateBytes: 2 ** 24,
        ...NO_POLICIES,
        ...init
      })
    const log = open()
    ;(node.swarm as Telling).tell = log
    const thread = stateNeed(cluster)
    return { cluster, node, directory, log, open, thread, path: join(directory, `${thread}.jsonl`) }
  }

  /** Two seconds of the thread, with what is new on disk every 100 ms. */
  async function writeSome({ cluster, log }: ReturnType<typeof world>): Promise<void> {
    for (let i = 0; i < 20; i++) {
      cluster.run(100)
      await log.flush()
    }
  }

  function finish({ cluster, thread }: ReturnType<typeof world>): void {
    const complete = (): boolean =>
      cluster.nodes.every(node => node.swarm.record(thread)?.complete === true)
    assert(cluster.runUntil(complete, 20_000))
  }

  function replay(path: string): Promise<Report> {
    return checkRecord(path, { verify: testVerify, policies: false, replay: true })
  }

  it('is written bit by bit and replays to the same FINALIZE bytes', async () => {
    const given = world()
    await writeSome(given)
    finish(given)
    await given.log.stop()
    const report = await replay(given.path)
    assert.deepEqual(report.problems, [])
    assert(report.complete && report.finalizeBytesEqual)
    const view = given.cluster.view(given.node, given.thread)
    assert.equal(shownIn(given.path), view.envelopes.length, 'all that the node took, once')
  })

  for (const batch of [2, 7, 40])
    it(`is as sound when it hears of ${batch} inputs at once`, async () => {
      const given = world()
      ;(given.node.swarm as Telling).batch = batch
      await writeSome(given)
      finish(given)
      // With the next input all is told.
      ;(given.node.swarm as Telling).batch = 1
      given.cluster.run(10_000)
      await given.log.stop()
      const report = await replay(given.path)
      assert.deepEqual(report.problems, [])
      assert(report.complete && report.finalizeBytesEqual)
      const view = given.cluster.view(given.node, given.thread)
      assert.equal(shownIn(given.path), view.envelopes.length, 'all that the node took, once')
    })

  it('goes on after a crash wherever the file was cut', async () => {
    const whole = world()
    // Many writes: each cut but the first leaves signed lines, and of the torn write whole ones that are not.
    await writeSome(whole)
    finish(whole)
    await whole.log.stop()
    const bytes = readFileSync(whole.path)
    const count = shownIn(whole.path)
    for (let share = 0; share < 1; share += 0.07) {
      writeFileSync(whole.path, bytes.subarray(0, Math.floor(bytes.length * share)))
      const log = whole.open()
      log.start([whole.thread])
      await log.stop()
      const report = await replay(whole.path)
      assert(report.ok && report.complete, `${share}: ${JSON.stringify(report.problems)}`)
      assert.equal(shownIn(whole.path), count, 'everything that the node took is there, once')
    }
  })

  it('goes on after a crash between two of its writes', async () => {
    const given = world()
    given.cluster.run(600)
    await given.log.flush()
    given.cluster.run(300)
    // What was noted since is lost with the process.
    const log = given.open()
    ;(given.node.swarm as Telling).tell = log
    log.start([given.thread])
    await log.flush()
    finish(given)
    await log.stop()
    assert.deepEqual((await replay(given.path)).problems, [])
  })

  it('is not gone on with when it was damaged, and not touched', async () => {
    const given = world()
    given.cluster.run(600)
    await given.log.flush()
    given.cluster.run(300)
    await given.log.flush()
    const bytes = readFileSync(given.path)
    bytes[300] = (bytes[300] as number) ^ 1
    writeFileSync(given.path, bytes)
    const log = given.open()
    log.start([given.thread])
    await log.stop()
    assert(logger.lines.some(line => JSON.stringify(line).includes('is damaged')))
    assert.deepEqual(readFileSync(given.path), bytes)
  })

  it('goes on in a further file when one has grown, and replays as one', async () => {
    const given = world({ rotateBytes: 8_000 })
    await writeSome(given)
    finish(given)
    await given.log.stop()
    assert(readdirSync(given.directory).length >= 3)
    assert.deepEqual((await replay(given.path)).problems, [])
    truncateSync(`${given.path}.1`, 100)
    assert(!(await replay(given.path)).ok)
  })

  it('goes on after a crash wherever a further file was cut', async () => {
    const whole = world({ rotateBytes: 8_000 })
    await writeSome(whole)
    finish(whole)
    await whole.log.stop()
    const second = `${whole.path}.1`
    const bytes = readFileSync(second)
    const isFurther = (name: string): boolean => /\.jsonl\.[2-9]$/u.test(name)
    for (const size of [0, 10, 100, 700, bytes.length - 5]) {
      for (const name of readdirSync(whole.directory))
        if (isFurther(name)) rmSync(join(whole.directory, name))
      writeFileSync(second, bytes.subarray(0, size))
      const log = whole.open()
      log.start([whole.thread])
      await log.stop()
      const report = await replay(whole.path)
      assert(report.ok && report.complete, `${size}: ${JSON.stringify(report.problems)}`)
    }
  })

  it('is not gone on with when the beginning of a further file was damaged', async () => {
    const whole = world({ rotateBytes: 8_000 })
    await writeSome(whole)
    const second = `${whole.path}.1`
    const bytes = readFileSync(second)
    bytes[3] = (bytes[3] as number) ^ 1
    writeFileSync(second, bytes)
    const log = whole.open()
    log.start([whole.thread])
    await log.stop()
    assert.deepEqual(readFileSync(second), bytes)
    assert(logger.lines.some(line => JSON.stringify(line).includes('.jsonl.1 is damaged')))
  })

  it('tries again by itself what it could not write, and tells of a folder that is none', async () => {
    const given = world({ writeMs: 5 })
    writeFileSync(given.directory, 'no folder')
    const told = logger.lines.length
    given.cluster.run(600)
    await given.log.flush()
    assert(logger.lines.slice(told).some(({ message }) => message.includes('cannot be written')))
    rmSync(given.directory)
    // Nothing more happens in the thread.
    await until('the log is written', () => existsSync(given.path))
    await given.log.stop()
  })

  it('looks at the file of a thread that only seemed new', async () => {
    const given = world()
    given.cluster.run(600)
    await given.log.flush()
    const log = given.open()
    ;(given.node.swarm as Telling).tell = log
    const [need] = given.cluster.view(given.node, given.thread).envelopes
    assert(need?.verb === 'NEED')
    log.onEvent({ type: 'envelope', thread: given.thread, atMs: 0, ...need })
    finish(given)
    const told = logger.lines.length
    await log.stop()
    assert.deepEqual(logger.lines.slice(told), [])
    assert.deepEqual((await replay(given.path)).problems, [])
  })

  it('is gone once the machine lets go of its thread, and begins anew if that comes again', async () => {
    const given = world({ rotateBytes: 4_000 })
    await writeSome(given)
    assert(readdirSync(given.directory).length >= 2)
    const [need] = given.cluster.view(given.node, given.thread).envelopes
    assert(need?.verb === 'NEED')
    const letGo = { type: 'let-go', thread: given.thread, atMs: 0 } as const
    given.log.onEvent(letGo)
    await given.log.flush()
    assert.deepEqual(readdirSync(given.directory), [])
    given.log.onEvent({ type: 'envelope', thread: given.thread, atMs: 0, ...need })
    await given.log.flush()
    assert.equal(shownIn(given.path), 1)
    given.log.onEvent(letGo)
    given.log.onEvent({ type: 'envelope', thread: given.thread, atMs: 0, ...need })
    await given.log.stop()
    assert.equal(shownIn(given.path), 1)
    assert.deepEqual(readdirSync(given.directory), [`${given.thread}.jsonl`])
  })

  it('gets its end after a crash that came when its thread had just left memory', async () => {
    const given = world()
    await writeSome(given)
    finish(given)
    await given.log.stop()
    const bytes = readFileSync(given.path)
    const endAgain = (over: Parameters<typeof endLogs>[0]['over']): Promise<void> =>
      endLogs({
        directory: given.directory,
        signer: given.node.keys,
        logger,
        rotateBytes: 2 ** 24,
        ...NO_POLICIES,
        over,
        signal: new AbortController().signal
      })
    const asked: string[] = []
    const archived = async (thread: string): Promise<Swarm> => {
      asked.push(thread)
      return given.node.swarm
    }
    await endAgain(archived)
    assert.deepEqual(asked, [], 'it has its end')
    for (const share of [0.3, 0.9, 1 - 100 / bytes.length]) {
      writeFileSync(given.path, bytes.subarray(0, Math.floor(bytes.length * share)))
      await endAgain(async () => null)
      assert.equal((await replay(given.path)).ok, false, 'a thread that goes on is not touched')
      await endAgain(archived)
      const report = await replay(given.path)
      assert(report.ok && report.complete, `${share}: ${JSON.stringify(report.problems)}`)
    }
    writeFileSync(given.path, bytes.subarray(0, Math.floor(bytes.length / 2)))
    const { swarm } = given.node
    await endAgain(async () => ({
      sighted: (...asked) => swarm.sighted(...asked),
      seen: asked => swarm.seen(asked),
      log: () => undefined
    }))
    const report = await checkRecord(given.path, {
      verify: testVerify,
      policies: false,
      replay: false
    })
    assert.deepEqual([report.ok, report.complete], [true, false])
  })
})

/** Envelopes that the lines of a log show. */
function shownIn(path: string): number | undefined {
  return readFileSync(path, 'utf8').match(/"type":"envelope"/gu)?.length
}
