// One question has one answer: the same decision, gas and digest from the pool's threads, from this thread alone, and after a restart; the decision is the one
// that the wasm gives without metering.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { parseAnswer } from '../../src/adapters/opa/answer.ts'
import { loadShippedCapsule, opaPolicyEngine, openCapsule } from '../../src/adapters/opa/index.ts'
import { useNodeSha256 } from '../../src/adapters/sha256/index.ts'
import { toHex } from '../../src/core/base/index.ts'
import {
  evaluationDigest,
  type PolicyDecision,
  type PolicyInput,
  policyText
} from '../../src/core/policy/index.ts'
import { basePath } from '../../src/policy/index.ts'
import { policyInstance } from '../support/policy-instance.ts'
import { question } from '../support/policy-questions.ts'

const QUESTIONS = 10_000
/** So many of them are also asked one after the other. */
const LONE = 1000
/** Questions under way at once: many batches, and more than one thread. */
const WIDTH = 256
const silent = { error() {}, warn() {}, info() {}, debug() {} }
const workerUrl = new URL('../../src/adapters/opa/worker.ts', import.meta.url)

const engine = opaPolicyEngine({
  workerUrl,
  directories: [basePath()],
  timeoutMs: 60_000,
  logger: silent
})
const capsule = engine.baseCapsule

const digestOf = (input: PolicyInput, decision: PolicyDecision): string =>
  toHex(evaluationDigest({ input, decision, capsule, engine: engine.engine }))

/** All that the engine says to one question after the other: most of them it judges in this thread. */
async function oneByOne(inputs: readonly PolicyInput[]): Promise<PolicyDecision[]> {
  const decisions: PolicyDecision[] = []
  for (const input of inputs) {
    if (decisions.length % 8 === 0) await new Promise(resolve => setImmediate(resolve))
    decisions.push(await engine.evaluate(capsule, input))
  }
  return decisions
}

/** All that the pool's threads say, in the order of the questions. */
async function fromPool(inputs: readonly PolicyInput[]): Promise<PolicyDecision[]> {
  const decisions: PolicyDecision[] = []
  for (let at = 0; at < inputs.length; at += WIDTH) {
    const some = inputs.slice(at, at + WIDTH)
    decisions.push(...(await Promise.all(some.map(input => engine.evaluate(capsule, input)))))
  }
  return decisions
}

describe('property/policy', () => {
  before(useNodeSha256)
  afterEach(() => engine.stop())

  it('answers 10,000 questions the same in every thread, after a restart, and without metering', async () => {
    const inputs = fc.sample(question, QUESTIONS)
    const judge = openCapsule(loadShippedCapsule(basePath()))
    const plain = policyInstance(readFileSync(`${basePath()}/capsule.wasm`))
    await engine.start()
    const first = await fromPool(inputs)
    await engine.stop()
    await engine.start()
    // In another order: nothing of what was asked before is left.
    const second = (await fromPool(inputs.toReversed())).toReversed()
    const lone = await oneByOne(inputs.slice(0, LONE))
    const seen = { allowed: 0, denied: 0 }
    for (const [i, input] of inputs.entries()) {
      const decision = judge(input)
      const text = policyText(input)
      assert.ok(text !== null)
      assert.deepEqual([first[i], second[i]], [decision, decision], text)
      if (i < LONE) assert.deepEqual(lone[i], decision, text)
      assert.equal(digestOf(input, first[i] as PolicyDecision), digestOf(input, decision), text)
      const unmetered = parseAnswer(JSON.parse(plain.evaluate(text).answer))
      assert.deepEqual(unmetered, { allow: decision.allow, reasons: decision.reasons }, text)
      seen[decision.allow ? 'allowed' : 'denied'] += 1
    }
    assert.ok(Math.min(seen.allowed, seen.denied) > QUESTIONS / 100, JSON.stringify(seen))
  }).timeout(300_000)
})
