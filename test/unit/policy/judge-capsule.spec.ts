// What an author is told is what a node would do.
import assert from 'node:assert/strict'
import { opaPolicyEngine } from '../../../src/adapters/opa/index.ts'
import { toHex } from '../../../src/core/base/index.ts'
import { evaluationDigest, type PolicyInput } from '../../../src/core/policy/index.ts'
import {
  basePath,
  type CapsuleDag,
  explainDecision,
  openDag,
  parseQuestion,
  readCapsuleFile,
  shippedCapsule,
  testCapsule
} from '../../../src/policy/index.ts'
import { fakePolicy } from '../../support/fake-policy.ts'
import { frugalCapsule, lyingCapsule, wasmCapsule } from '../../support/sample-capsules.ts'

const workerUrl = new URL('../../../src/adapters/opa/worker.ts', import.meta.url)
const silent = { error() {}, warn() {}, info() {}, debug() {} }
const STRICT = new URL('../../../policies/samples/strict.car', import.meta.url).pathname
const ALLOW = [0x41, 0x80, 0x02]

describe('policy/judge', () => {
  it('gives the decision, gas and digest that a node gives', async () => {
    const base = await shippedCapsule()
    const engine = opaPolicyEngine({
      workerUrl,
      directories: [basePath()],
      timeoutMs: 5000,
      logger: silent
    })
    const judge = openDag(base)
    for (const { input } of base.capsule.vectors.slice(0, 5)) {
      const { decision, digest, capsule } = judge(input)
      assert.deepEqual(decision, await engine.evaluate(capsule, input))
      const evaluation = { input, decision, capsule, engine: engine.engine }
      assert.equal(digest, toHex(evaluationDigest(evaluation)))
    }
    await engine.stop()
  })

  it('says which rule denied, which value it saw, and where it is written', async () => {
    const base = await shippedCapsule()
    const vector = base.capsule.vectors.find(({ name }) => name.startsWith('a budget of one'))
    const { decision } = openDag(base)(vector?.input as PolicyInput)
    const [finding, ...others] = explainDecision(decision, base, 'message')
    assert.deepEqual(others, [])
    assert.deepEqual([finding?.rule, finding?.saw], ['need-budget', '"1000000000000001"'])
    const [path = '', line = '0'] = (finding?.where ?? '').split(':')
    const text = base.sources.find(source => source.path === path)?.text.split('\n')[
      Number(line) - 1
    ]
    assert.match(text ?? '', /amount\("need-budget"/u)
    assert.deepEqual(explainDecision({ reasons: ['odd'] }, base, 'message'), [
      { rule: 'odd', saw: '', where: null }
    ])
  })

  it('names the place of the rule that the gate asked, where others have a word of the same name', async () => {
    const base = await shippedCapsule()
    const strict = await readCapsuleFile(STRICT)
    const places: [CapsuleDag, gate: string, rule: string, file: string, line: RegExp][] = [
      [base, 'commit', 'zone', 'terms', /^commit_objections contains reason\("zone"/u],
      [base, 'commit', 'messages', 'budgets', /"messages": \["usage"/u],
      [base, 'commit', 'committee', 'diversity', /reason\("committee"/u],
      [base, 'commit', 'committee-org', 'diversity', /"committee-org": \[/u],
      [base, 'commit', 'committee-of-worker', 'diversity', /\["committee-of-worker"/u],
      [base, 'commit', 'gate', 'decision', /reason\("gate"/u],
      [strict, 'bid', 'zone', 'bid', /reason\("zone", \["standing"/u],
      [strict, 'commit', 'zone', 'result', /reason\("zone", \["commit"/u],
      [strict, 'bid', 'cost', 'bid', /reason\("cost", \["ballot"/u],
      [strict, 'commit', 'cost', 'result', /reason\("cost", \["commit"/u],
      [strict, 'commit', 'messages', 'result', /some what in \{"messages"/u],
      [strict, 'commit', 'claims', 'result', /some what in \{"messages"/u]
    ]
    for (const [dag, gate, rule, file, expected] of places) {
      const [finding] = explainDecision({ reasons: [`${rule}: 1`] }, dag, gate)
      const { path, text } = placeIn(dag, finding?.where ?? '')
      assert.equal(path, `${dag.capsule.name}/${file}.rego`, `${gate} ${rule}`)
      assert.match(text.trim(), expected, `${gate} ${rule}`)
    }
  })

  it('names for each rule of the vectors the line that gives it its name', async () => {
    const base = await shippedCapsule()
    let seen = 0
    for (const { input, decision } of base.capsule.vectors)
      for (const { rule, where } of explainDecision(decision, base, input['gate'])) {
        const { text } = placeIn(base, where ?? '')
        assert.match(text, new RegExp(`[([]"${rule}"|"${rule}": \\[`, 'u'))
        seen += 1
      }
    assert.ok(seen > 50, `${seen} reasons`)
  })

  it('refuses a capsule that fails a vector, and reports each vector of it', async () => {
    const lying = await lyingCapsule()
    assert.throws(() => openDag(lying), { code: 'CAPSULE_REFUSED' })
    const report = testCapsule(lying)
    assert.deepEqual([report.ok, report.flaw], [false, null])
    assert.deepEqual(
      report.vectors.map(({ name, ok }) => [name, ok]),
      [['a lie', false]]
    )
    assert.equal(report.vectors[0]?.decided?.allow, true)
    assert.equal(testCapsule(await frugalCapsule()).ok, true)
  })

  it('lets wasm loop, leave no zero byte in memory, or answer nonsense, at the price of its gas', async () => {
    const stopped = (reason: string) => ({
      allow: false,
      reasons: [`engine: ${reason}`],
      gas: 1_000_000
    })
    const loops = testCapsule(
      await wasmCapsule(fakePolicy([0x03, 0x40, 0x0c, 0, 0x0b, ...ALLOW]), 1)
    )
    assert.deepEqual(loops.vectors[0]?.decided, stopped('the evaluation ran out of gas'))
    const endless = [0x41, 0, 0x41, 1, 0x3f, 0, 0x41, 16, 0x74, 0xfc, 0x0b, 0, 0x41, 0]
    const nonsense = testCapsule(await wasmCapsule(fakePolicy(endless), 1))
    assert.deepEqual(nonsense.vectors[0]?.decided?.reasons, ['engine: the answer is malformed'])
    assert.equal(testCapsule(await wasmCapsule(fakePolicy(ALLOW), 1)).ok, true)
    assert.match(
      testCapsule(await wasmCapsule(Uint8Array.of(1), 1)).flaw ?? '',
      /METERING_MALFORMED/u
    )
  })
})

/** The line that a finding names. */
function placeIn({ sources }: CapsuleDag, where: string): { path: string; text: string } {
  const [path = '', line = '0'] = where.split(':')
  const source = sources.find(one => one.path === path)
  return { path, text: source?.text.split('\n')[Number(line) - 1] ?? '' }
}

describe('policy/question', () => {
  const flaw = (text: string) =>
    assert.throws(() => parseQuestion(text, 'it'), { code: 'POLICY_INPUT' })

  it('is an object of JSON with integers', () => {
    assert.deepEqual(parseQuestion('{"gate":"message","n":-1}', 'it'), { gate: 'message', n: -1 })
    for (const text of ['', '{', '[]', '1', 'null', '{"n":0.5}', '{"n":9007199254740992}'])
      flaw(text)
  })

  it('holds no key and no text that its digest could not tell from another', () => {
    flaw('{"x":"\\ud800"}')
    flaw('{"x":["\\ufeffx"]}')
    flaw('{"\\udc00":1}')
    flaw('{"x":{"/":"a","bytes":"a"}}')
    flaw('{"__proto__":{"gate":"bid"}}')
    parseQuestion('{"gate":"bid","x":"\\ud83d\\ude00 a\\ufeff"}', 'it')
  })

  it('of 10,000 levels or of more than 16 MiB is refused', () => {
    flaw(`{"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)
    flaw(`{"x":"${'x'.repeat(16 * 1024 * 1024)}"}`)
  })

  it('of 10 MB is a deny of the engine', async () => {
    const input = parseQuestion(`{"x":"${'x'.repeat(10_000_000)}"}`, 'it')
    const { decision } = openDag(await shippedCapsule())(input)
    assert.deepEqual(decision.reasons, ['engine: the evaluation trapped'])
  })
})
