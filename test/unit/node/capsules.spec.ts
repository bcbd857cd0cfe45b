// Capsules between two nodes: made on one, asked on the other. Real stores over loopback, real engines.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type OpaPolicyEngine, opaPolicyEngine } from '../../../src/adapters/opa/index.ts'
import type { PolicyInput } from '../../../src/core/policy/index.ts'
import { Capsules } from '../../../src/node/capsules.ts'
import {
  basePath,
  type CapsuleDag,
  encodeCapsuleFile,
  writeCapsuleFile
} from '../../../src/policy/index.ts'
import type { ArtifactStore } from '../../../src/ports/index.ts'
import { fakePolicy } from '../../support/fake-policy.ts'
import { type HeliaWorld, heliaWorld, silent } from '../../support/helia-world.ts'
import {
  frugalCapsule,
  lenientCapsule,
  lyingCapsule,
  wasmCapsule
} from '../../support/sample-capsules.ts'
import { until } from '../../support/until.ts'

const workerUrl = new URL('../../../src/adapters/opa/worker.ts', import.meta.url)
const QUESTION: PolicyInput = { gate: 'commit' }
const ALLOW = [0x41, 0x80, 0x02]

type Node = { store: ArtifactStore; engine: OpaPolicyEngine; capsules: Capsules }

describe('node/capsules', () => {
  let world: HeliaWorld
  let nodes: Node[] = []

  const node = async (name: string, unplugged = false): Promise<Node> => {
    const store = await world.store(name, { unplugged })
    const engine = opaPolicyEngine({
      workerUrl,
      directories: [basePath()],
      timeoutMs: 5000,
      logger: silent
    })
    const made = { store, engine, capsules: new Capsules(engine, store, silent) }
    nodes.push(made)
    return made
  }
  const fileOf = async (dag: CapsuleDag): Promise<string> => {
    const path = join(world.folder, `${dag.capsule.name}.car`)
    await writeCapsuleFile(path, dag)
    return path
  }
  /** The blocks alone, as a peer that checks nothing would hold them. */
  const spread = async ({ store }: Node, dag: CapsuleDag): Promise<string> => {
    for (const [cid, bytes] of dag.blocks) await store.putBlock(cid, bytes)
    return dag.capsule.cid
  }

  beforeEach(async () => {
    world = await heliaWorld()
  })
  afterEach(async () => {
    await Promise.all(nodes.map(({ engine }) => engine.stop()))
    nodes = []
    await world.dispose()
  })

  it('fetches what another node has, checks it, asks it, and keeps it whole', async () => {
    const [a, b] = [await node('a'), await node('b')]
    const frugal = await frugalCapsule()
    const { cid } = await a.capsules.add(await fileOf(frugal))
    assert.equal(cid, frugal.capsule.cid)
    const decision = await b.capsules.evaluate(cid, QUESTION)
    assert.deepEqual(decision, await a.capsules.evaluate(cid, QUESTION))
    assert.deepEqual(decision.reasons, ['engine: the evaluation ran out of gas'])
    const origins = async ({ capsules }: Node): Promise<unknown[]> =>
      (await capsules.list()).map(({ name, origin, ready }) => [name, origin, ready])
    assert.deepEqual(await origins(a), [
      ['base', 'shipped', true],
      ['frugal', 'added', true]
    ])
    await until('the capsule is loaded', () => b.engine.holds(cid))
    assert.deepEqual(await origins(b), [
      ['base', 'shipped', true],
      ['frugal', 'fetched', true]
    ])
    await b.store.gc()
    assert.equal(await b.store.has(cid), true)
    const { dag, origin } = await b.capsules.get(cid)
    assert.equal(origin, 'fetched')
    assert.deepEqual(encodeCapsuleFile(dag), encodeCapsuleFile(frugal))
  })

  it('has what it kept after a restart, when nobody else has it', async () => {
    const a = await node('a')
    const { cid } = await a.capsules.add(await fileOf(await frugalCapsule()))
    const engine = opaPolicyEngine({
      workerUrl,
      directories: [basePath()],
      timeoutMs: 5000,
      logger: silent
    })
    nodes.push({ ...a, engine })
    const restarted = new Capsules(engine, a.store, silent)
    assert.equal((await restarted.list())[1]?.ready, false)
    assert.equal((await restarted.evaluate(cid, QUESTION)).allow, false)
    assert.equal((await restarted.list())[1]?.ready, true)
  })

  it('cannot without its store plugged in, and says why', async () => {
    const [a, b] = [await node('a'), await node('b', true)]
    const { cid } = await a.capsules.add(await fileOf(await lenientCapsule()))
    await assert.rejects(b.capsules.ready(cid, { timeoutMs: 300 }), { code: 'CAPSULE_UNAVAILABLE' })
    await assert.rejects(b.capsules.evaluate(cid, QUESTION), error => {
      assert.match(String(error), /nobody delivered/u)
      return (error as { code?: string }).code === 'CAPSULE_UNAVAILABLE'
    })
  })

  it('refuses what fails its vectors or its metering, each time, and keeps none of it', async () => {
    const [a, b] = [await node('a'), await node('b')]
    const lying = await lyingCapsule()
    await assert.rejects(a.capsules.add(await fileOf(lying)), { code: 'CAPSULE_REFUSED' })
    const grows = await wasmCapsule(fakePolicy([0x41, 1, 0x40, 0, 0x1a, ...ALLOW]), 4)
    const simd = await wasmCapsule(fakePolicy([0xfd, 0x0c, ...ALLOW]), 1)
    for (const dag of [lying, simd]) {
      const cid = await spread(a, dag)
      // A peer does not send a block again within five seconds, and the two have blocks in common: longer than a question waits.
      await assert.rejects(b.capsules.ready(cid), { code: 'CAPSULE_REFUSED' })
      for (let i = 0; i < 2; i++)
        await assert.rejects(b.capsules.evaluate(cid, QUESTION), { code: 'CAPSULE_REFUSED' })
      assert.deepEqual(await b.store.usage(), { blocks: 0, bytes: 0 })
    }
    assert.deepEqual(
      (await b.capsules.list()).map(({ name }) => name),
      ['base']
    )
    // Growing is no reason to refuse: it does not.
    const growing = await spread(a, grows)
    await b.capsules.ready(growing)
    assert.equal((await b.capsules.evaluate(growing, QUESTION)).allow, true)
    assert.equal((await b.engine.evaluate(b.engine.baseCapsule, QUESTION)).allow, false)
  })

  it('keeps nothing of the oldest that came in part, and what was here before', async () => {
    const [a, b] = [await node('a'), await node('b')]
    const capsules = new Capsules(b.engine, b.store, silent, { begunMax: 0 })
    const lenient = await lenientCapsule()
    const [root, wasm] = [...lenient.blocks]
    assert.ok(root !== undefined && wasm !== undefined)
    await a.store.putBlock(...root)
    await b.store.putBlock(...wasm)
    const before = await b.store.usage()
    await assert.rejects(capsules.ready(root[0], { timeoutMs: 500 }), {
      code: 'CAPSULE_UNAVAILABLE'
    })
    assert.deepEqual(await b.store.usage(), before)
  })

  it('lets the oldest fetched one go with its blocks, and leaves what others share with it', async () => {
    const [a, b] = [await node('a'), await node('b')]
    const capsules = new Capsules(b.engine, b.store, silent, { fetchedMax: 1 })
    const [one, two] = await Promise.all(['one', 'two'].map(lenientCapsule))
    assert.ok(one !== undefined && two !== undefined)
    await capsules.ready(await spread(a, one))
    const before = await b.store.usage()
    await capsules.ready(await spread(a, two))
    assert.deepEqual(await b.store.usage(), before)
    assert.deepEqual(
      [await b.store.has(one.capsule.cid), await b.store.has(two.capsule.cid)],
      [false, true]
    )
  })

  it("judges messages while a stranger's policy burns its gas", async () => {
    const a = await node('a')
    // Loops when the question is longer than 64 bytes.
    const isLong = [0x20, 4, 0x41, 0xc0, 0x00, 0x4b]
    const loop = fakePolicy([...isLong, 0x04, 0x40, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, ...ALLOW])
    const cid = await spread(a, await wasmCapsule(loop, 5, 100_000_000))
    const message = { ...QUESTION, x: 'x'.repeat(100) }
    const ask = (): Promise<{ allow: boolean }> => a.engine.evaluate(a.engine.baseCapsule, QUESTION)
    await Promise.all([ask(), a.capsules.ready(cid)])
    let burnt = 0
    const burning = Array.from({ length: 5 }, async () => {
      const { allow, gas } = await a.capsules.evaluate(cid, message)
      burnt += 1
      assert.deepEqual([allow, gas], [false, 100_000_000])
    })
    assert.equal((await ask()).allow, false)
    assert.ok(burnt < 5, 'the message did not wait for all of them')
    await Promise.all(burning)
  })

  it("says what keeps the capsule of a stranger's NEED from being asked", async () => {
    const [a, b] = [await node('a'), await node('b')]
    const flawed = await b.capsules.want(await spread(a, await lyingCapsule()))
    assert.match(String(flawed), /vector "a lie" \(VECTOR_FAILED\)/u)
    assert.equal(await b.capsules.want(await spread(a, await lenientCapsule())), null)
    assert.equal((flawed as { code?: string }).code, 'CAPSULE_REFUSED')
  })

  it("takes a stranger's NEED to begin a fetch, for a few at once", async () => {
    const [a, b] = [await node('a'), await node('b')]
    const dags = await Promise.all(['one', 'two'].map(lenientCapsule))
    const cids = await Promise.all(dags.map(dag => spread(a, dag)))
    for (const cid of cids) void b.capsules.want(cid)
    await until('both are loaded', () => cids.every(cid => b.engine.holds(cid)))
  })
})
