// The engine over its real worker: decisions, determinism, refusals and faults.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { decode as decodeDagJson, encode as encodeDagJson } from '@ipld/dag-json'
import {
  type CapsuleBlock,
  loadCapsule,
  type OpaPolicyEngine,
  type OpaPolicyEngineInit,
  opaPolicyEngine
} from '../../../../src/adapters/opa/index.ts'
import { PENDING_MAX } from '../../../../src/adapters/opa/limits.ts'
import { cidOf } from '../../../../src/core/codec/index.ts'
import { VERBS } from '../../../../src/core/envelope/index.ts'
import { CAPABILITY_OF_VERB, type PolicyInput } from '../../../../src/core/policy/index.ts'
import type { PolicyEngine } from '../../../../src/ports/index.ts'

const BASE = new URL('../../../../policies/base', import.meta.url).pathname
const workerUrl = new URL('../../../../src/adapters/opa/worker.ts', import.meta.url)
const silent = { error() {}, warn() {}, info() {}, debug() {} }
const capsule = loadCapsule(BASE)
const good = capsule.vectors[0]?.input as PolicyInput

const engines: PolicyEngine[] = []
const folders: string[] = []

function create(init: Partial<OpaPolicyEngineInit> = {}): OpaPolicyEngine {
  const engine = opaPolicyEngine({
    workerUrl,
    directories: [BASE],
    timeoutMs: 5000,
    logger: silent,
    ...init
  })
  engines.push(engine)
  return engine
}

/** A copy of the base capsule with another block or wasm. */
function altered(
  change: (block: CapsuleBlock) => unknown,
  wasm: Uint8Array = capsule.wasm
): string {
  const folder = mkdtempSync(join(tmpdir(), 'capsule-'))
  folders.push(folder)
  const block = decodeDagJson<CapsuleBlock>(readFileSync(join(BASE, 'capsule.json')))
  writeFileSync(join(folder, 'capsule.json'), encodeDagJson(change(block)))
  writeFileSync(join(folder, 'capsule.wasm'), wasm)
  return folder
}

/** A worker that accepts every capsule, and judges as told: `answer` are statements over `input`. */
function fakeWorker(answer: string, check = 'null'): URL {
  const source = `import { Tinypool } from ${JSON.stringify(import.meta.resolve('tinypool'))}
    const { progress } = Tinypool.workerData
    export const check = () => ${check}
    export const judge = ({ inputs, lane }) => inputs.map(input => {
      Atomics.add(progress, lane, 1)
      ${answer}
      return { allow: true, reasons: [], gas: 1 }
    })`
  const folder = mkdtempSync(join(tmpdir(), 'worker-'))
  folders.push(folder)
  const path = join(folder, 'worker.mjs')
  writeFileSync(path, source)
  return pathToFileURL(path)
}

afterEach(async () => {
  await Promise.all(engines.splice(0).map(engine => engine.stop()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describe('adapters/opa/engine', () => {
  it('is the evaluator and the capsule that its hash and name say', () => {
    const engine = create()
    assert.equal(engine.baseCapsule, capsule.cid)
    assert.equal(engine.engine.length, 32)
    assert.deepEqual(create().engine, engine.engine)
  })

  it('decides every vector as the capsule says, metered by the build or at load', async () => {
    const engine = create()
    await engine.start()
    const unprepared = create({ directories: [altered(block => block)] })
    for (const { input, decision } of capsule.vectors)
      assert.deepEqual(await unprepared.evaluate(capsule.cid, input), decision)
    for (const { name, input, decision } of capsule.vectors) {
      assert.deepEqual(await engine.evaluate(capsule.cid, input), decision, name)
    }
  })

  it('asks the same whatever order the keys of a question have', async () => {
    const engine = create()
    const turned = Object.fromEntries(Object.entries(good).reverse()) as PolicyInput
    assert.deepEqual(
      await engine.evaluate(capsule.cid, turned),
      await engine.evaluate(capsule.cid, good)
    )
  })

  it('denies within its gas when a policy would take more', async () => {
    const limits = { gas: 10_000, stack: 16_384 }
    const decision = {
      allow: false,
      reasons: ['engine: the evaluation ran out of gas'],
      gas: 10_000
    }
    const vectors = [{ name: 'too dear', input: good, decision }]
    const directory = altered(block => ({ ...block, limits, vectors }))
    const engine = create({ directories: [directory] })
    assert.deepEqual(await engine.evaluate(engine.baseCapsule, good), decision)
  })

  it('denies a question of 10,000 levels', async () => {
    const deep = JSON.parse('['.repeat(10_000) + ']'.repeat(10_000))
    const decision = await create().evaluate(capsule.cid, { ...good, deep })
    assert.deepEqual(decision.reasons, ['engine: the evaluation trapped'])
  })

  it('starts by itself at the first question', async () => {
    assert.equal((await create().evaluate(capsule.cid, good)).allow, true)
  })

  it('gives equal answers whatever was asked before', async () => {
    const engine = create()
    const before = await engine.evaluate(capsule.cid, good)
    const noise = capsule.vectors.map(({ input }) => engine.evaluate(capsule.cid, input))
    const long = engine.evaluate(capsule.cid, { ...good, slot: 'x'.repeat(100_000) })
    await Promise.all([...noise, long])
    assert.deepEqual(await engine.evaluate(capsule.cid, good), before)
  })

  it('judges inputs that need the large memory', async () => {
    const facts = Array.from({ length: 129 }, (_, i) => ({
      kind: 'LINK',
      parent: 'p'.repeat(120),
      child: `c${i}`
    }))
    const input = {
      ...good,
      verb: 'UPDATE_PLAN',
      capability: 'swarm/update-plan',
      payload: { facts }
    }
    assert.deepEqual((await create().evaluate(capsule.cid, input)).reasons, [
      'plan-facts: 129 items'
    ])
  })

  it('denies when memory runs out, and goes on', async () => {
    const engine = create()
    const input = { ...good, payload: Array.from({ length: 200_000 }, () => 1) }
    const decision = await engine.evaluate(capsule.cid, input)
    assert.deepEqual(decision, {
      allow: false,
      reasons: ['engine: the evaluation trapped'],
      gas: capsule.limits.gas
    })
    assert.equal((await engine.evaluate(capsule.cid, good)).allow, true)
  })

  it('answers in order when many ask at once', async () => {
    const engine = create()
    const asked = Array.from({ length: 300 }, (_, i) => capsule.vectors[i % capsule.vectors.length])
    const answers = await Promise.all(
      asked.map(vector => engine.evaluate(capsule.cid, vector?.input as PolicyInput))
    )
    assert.deepEqual(
      answers.map(answer => answer.reasons),
      asked.map(vector => vector?.decision.reasons)
    )
  })

  it('knows the capability of every verb, as senders do', async () => {
    const engine = create()
    for (const verb of VERBS) {
      const ask = async (capability: string): Promise<readonly string[]> =>
        (await engine.evaluate(capsule.cid, { ...good, verb, capability })).reasons
      const isAboutWho = (reason: string): boolean => /^(verb|capability):/u.test(reason)
      assert.deepEqual((await ask(CAPABILITY_OF_VERB[verb])).filter(isAboutWho), [], verb)
      assert.deepEqual(
        (await ask('swarm/other')).filter(isAboutWho),
        ['capability: "swarm/other"'],
        verb
      )
    }
  })

  it('rejects a capsule that it does not have', async () => {
    await assert.rejects(create().evaluate('bafyother', good), { code: 'CAPSULE_UNAVAILABLE' })
  })

  it('rejects everything when unplugged or stopped', async () => {
    const unplugged = create({ unplug: new Set(['policy']) })
    await assert.rejects(unplugged.evaluate(capsule.cid, good), { code: 'POLICY_UNAVAILABLE' })
    const stopped = create()
    await stopped.start()
    const waiting = assert.rejects(stopped.evaluate(capsule.cid, good), {
      code: 'POLICY_UNAVAILABLE'
    })
    await stopped.stop()
    await waiting
    await assert.rejects(stopped.evaluate(capsule.cid, good), { code: 'POLICY_UNAVAILABLE' })
  })
})

describe('adapters/opa/refused capsules', () => {
  const refused = { code: 'CAPSULE_REFUSED' }

  it('refuses wasm that the block does not link to', () => {
    const other = Uint8Array.from(capsule.wasm)
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1
    assert.throws(() => loadCapsule(altered(block => block, other)), refused)
  })

  it('refuses unknown fields, other versions and missing files', () => {
    assert.throws(() => loadCapsule(altered(block => ({ ...block, extra: 1 }))), refused)
    assert.throws(() => loadCapsule(altered(block => ({ ...block, version: 1 }))), refused)
    assert.throws(() => loadCapsule(join(BASE, 'nothing')), refused)
  })

  it('refuses a capsule that fails one of its vectors', async () => {
    const wrong = { name: 'wrong', input: good, decision: { allow: false, reasons: [], gas: 0 } }
    const directory = altered(block => ({ ...block, vectors: [...block.vectors, wrong] }))
    await assert.rejects(create({ directories: [directory] }).start(), error => {
      assert.match(String(error), /vector "wrong"/u)
      return (error as { code?: string }).code === refused.code
    })
    const engine = create({ directories: [BASE, directory] })
    assert.equal((await engine.evaluate(capsule.cid, good)).allow, true)
    await assert.rejects(engine.evaluate(loadCapsule(directory).cid, good), refused)
  })

  it('refuses a capsule whose vectors cost something else, or by other rules', async () => {
    const [first] = capsule.vectors
    assert.ok(first)
    const dearer = { ...first, decision: { ...first.decision, gas: first.decision.gas + 1 } }
    const directory = altered(block => ({ ...block, vectors: [dearer] }))
    await assert.rejects(create({ directories: [directory] }).start(), refused)
    const other = altered(block => ({ ...block, metering: new Uint8Array(32) }))
    assert.throws(() => loadCapsule(other), refused)
    const greedy = altered(block => ({ ...block, limits: { gas: 10 ** 9, stack: 1 } }))
    assert.throws(() => loadCapsule(greedy), refused)
  })

  it('refuses an entrypoint that is not there', async () => {
    const directory = altered(block => ({ ...block, entrypoint: 'base/other' }))
    await assert.rejects(create({ directories: [directory] }).start(), refused)
  })

  it('refuses wasm that imports more than a policy may', async () => {
    // (module (import "env" "clock" (func)))
    const greedy = Uint8Array.from([
      0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 13, 1, 3, 101, 110, 118, 5, 99, 108, 111,
      99, 107, 0, 0
    ])
    const directory = altered(block => ({ ...block, wasm: cidOf(greedy, 0x55) }), greedy)
    await assert.rejects(create({ directories: [directory] }).start(), /it imports env\.clock/u)
  })
})

describe('adapters/opa/lone questions', () => {
  /** By its gas one sees who judged: a thread says 1. */
  const fromThread = { allow: true, reasons: [], gas: 1 }
  const { input, decision } = capsule.vectors[0] as (typeof capsule.vectors)[number]

  async function started(init: Partial<OpaPolicyEngineInit> = {}): Promise<PolicyEngine> {
    const engine = create({ workerUrl: fakeWorker(''), ...init })
    await engine.start()
    return engine
  }

  it('are judged at once, as a thread would judge them', async () => {
    const engine = await started()
    for (const vector of capsule.vectors) {
      // Another turn of the event loop: each has its moment.
      await new Promise(resolve => setImmediate(resolve))
      assert.deepEqual(await engine.evaluate(capsule.cid, vector.input), vector.decision)
    }
  })

  it('go to a thread when they are not alone, dear, long, too deep, or when nothing is to be judged here', async () => {
    const engine = await started()
    const ask = (question: PolicyInput) => engine.evaluate(capsule.cid, question)
    assert.deepEqual(await Promise.all([ask(input), ask(input)]), [fromThread, fromThread])
    assert.deepEqual(await ask({ ...input, x: 'x'.repeat(5000) }), fromThread)
    assert.deepEqual(
      await ask({ ...input, deep: JSON.parse('['.repeat(99) + ']'.repeat(99)) }),
      fromThread
    )
    const cheap = await started({ loneGas: decision.gas - 1 })
    assert.deepEqual(await cheap.evaluate(capsule.cid, input), fromThread)
    const enough = await started({ loneGas: decision.gas })
    assert.deepEqual(await enough.evaluate(capsule.cid, input), decision)
    const none = await started({ loneGas: 0 })
    assert.deepEqual(await none.evaluate(capsule.cid, input), fromThread)
  })

  it('have a moment in each turn of the event loop, and the rest go to a thread', async () => {
    const engine = await started()
    const answers: number[] = []
    for (let i = 0; i < 10_000 && answers.at(-1) !== fromThread.gas; i++)
      answers.push((await engine.evaluate(capsule.cid, input)).gas)
    assert.ok(answers.length > 1, 'the first is judged here')
    assert.equal(answers.at(-1), fromThread.gas)
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(await engine.evaluate(capsule.cid, input), decision)
  })
})

describe('adapters/opa/faults', () => {
  const alarms: string[] = []
  const logger = { ...silent, error: (message: string) => void alarms.push(message) }
  beforeEach(() => void alarms.splice(0))
  const ask = (engine: PolicyEngine, x: PolicyInput[string]) =>
    engine.evaluate(capsule.cid, { gate: 'message', x })

  for (const [what, answer, code, timeoutMs] of [
    ['takes too long', 'if (input.includes("odd")) for (;;) {}', 'POLICY_TIMEOUT', 300],
    [
      'takes all memory of its thread',
      'if (input.includes("odd")) for (const held = []; ; ) held.push(Array(1e6).fill(0.5))',
      'POLICY_UNAVAILABLE',
      20_000
    ]
  ] as const)
    it(`abstains from an evaluation that ${what}, sounds the alarm, and answers the others`, async () => {
      const engine = create({ loneGas: 0, workerUrl: fakeWorker(answer), timeoutMs, logger })
      await engine.start()
      const before = [1, 2].map(x => ask(engine, x))
      const odd = assert.rejects(ask(engine, 'odd'), { code })
      const after = [3, 4, 5].map(x => ask(engine, x))
      await odd
      const answers = await Promise.all([...before, ...after])
      assert.deepEqual(new Set(answers.map(({ allow }) => allow)), new Set([true]))
      assert.deepEqual(alarms, ['a policy worker is replaced'])
      assert.equal(engine.alarms().count, 1)
      assert.match(engine.alarms().last ?? '', /no answer within|the worker ended/u)
      assert.equal((await ask(engine, 6)).allow, true)
    })

  it('replaces a thread as often as it must', async () => {
    const worker = fakeWorker('if (input.includes("odd")) for (;;) {}')
    const engine = create({ loneGas: 0, workerUrl: worker, timeoutMs: 150, logger })
    await engine.start()
    for (let i = 0; i < 3; i++) {
      await assert.rejects(ask(engine, `odd ${i}`), { code: 'POLICY_TIMEOUT' })
      assert.equal((await ask(engine, i)).allow, true)
    }
    assert.equal(alarms.length, 3)
  })

  it('sounds the alarm when a capsule breaks its thread before it is asked', async () => {
    const hoard = '{ for (const held = []; ; ) held.push(Array(1e6).fill(0.5)) }'
    const worker = fakeWorker('', hoard)
    const engine = create({ loneGas: 0, workerUrl: worker, timeoutMs: 5_000, logger })
    await assert.rejects(ask(engine, 1), { code: 'POLICY_UNAVAILABLE' })
    assert.equal(engine.alarms().count, alarms.length)
    assert.ok(alarms.length > 0)
  })

  it('waits for a thread that is slow to start', async () => {
    const slow = fakeWorker('')
    const engine = create({ loneGas: 0, workerUrl: slow, timeoutMs: 1, logger })
    assert.equal((await ask(engine, 1)).allow, true)
    assert.deepEqual(alarms, [])
    assert.deepEqual(engine.alarms(), { count: 0, last: null })
  })

  it('takes so many questions and no more', async () => {
    const engine = create({ loneGas: 0, workerUrl: fakeWorker('') })
    await engine.start()
    const asked = Array.from({ length: PENDING_MAX + 1 }, (_, x) => ask(engine, x))
    await assert.rejects(asked.pop() ?? Promise.resolve(), { code: 'POLICY_UNAVAILABLE' })
    assert.equal((await Promise.all(asked)).length, PENDING_MAX)
  })

  it('stops while a thread fails of which it has not heard yet', async () => {
    const engine = create({ workerUrl: new URL('data:text/javascript,throw 1') })
    const starting = assert.rejects(engine.start(), { code: 'POLICY_UNAVAILABLE' })
    // What the thread says meanwhile is read when the engine is being stopped.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    await engine.stop()
    await starting
  })

  it('says so when the worker cannot run', async () => {
    const engine = create({ loneGas: 0, workerUrl: new URL('data:text/javascript,throw 1') })
    await assert.rejects(engine.start(), { code: 'POLICY_UNAVAILABLE' })
    await assert.rejects(ask(engine, 1), { code: 'POLICY_UNAVAILABLE' })
  })
})
