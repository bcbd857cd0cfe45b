// Policies that no compiler would write: they loop, recurse, remember, print without end. Each costs its gas and nothing more.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { decide } from '../../../../src/adapters/opa/decide.ts'
import { loadCapsule } from '../../../../src/adapters/opa/index.ts'
import { setUp } from '../../../../src/adapters/opa/instance.ts'
import { SMALL_INPUT_BYTES, SMALL_MEMORY_PAGES } from '../../../../src/adapters/opa/limits.ts'
import { type EvaluationLimits, Sandbox } from '../../../../src/adapters/opa/sandbox.ts'
import { webAssembly } from '../../../../src/adapters/opa/web-assembly.ts'
import { policyText } from '../../../../src/core/policy/index.ts'
import { basePath } from '../../../../src/policy/index.ts'
import { fakePolicy, TEXT } from '../../../support/fake-policy.ts'
import { question } from '../../../support/policy-questions.ts'

const BASE = readFileSync(new URL('../../../../policies/base/capsule.wasm', import.meta.url))
const METERED = readFileSync(
  new URL('../../../../policies/base/capsule.metered.wasm', import.meta.url)
)
const ZEROS = new Uint8Array(SMALL_MEMORY_PAGES * 65_536)
const LIMITS: EvaluationLimits = { gas: 1_000_000, stack: 16_384 }
/** i32.const of the address of an allow. */
const ALLOW = [0x41, 0x80, 0x02]
const UNUSABLE = 'WASM_UNUSABLE'
const allowed = { allow: true, reasons: [] }
const stopped = (reason: string) => ({
  allow: false,
  reasons: [`engine: ${reason}`],
  gas: LIMITS.gas
})

function sandboxOf(wasm: Uint8Array, limits: EvaluationLimits = LIMITS): Sandbox {
  const created = Sandbox.create(wasm, {
    entrypoint: 'base/decision',
    limits,
    isMetered: false
  })
  assert.ok(created.ok, JSON.stringify(created))
  return created.value
}

function flawOf(wasm: Uint8Array, entrypoint = 'base/decision'): string {
  const created = Sandbox.create(wasm, { entrypoint, limits: LIMITS, isMetered: false })
  return created.ok ? 'none' : created.refusal.code
}

describe('adapters/opa/sandbox', () => {
  it('reads the answer of a policy and what it cost', () => {
    assert.equal(TEXT.allow, 256)
    assert.deepEqual(decide(sandboxOf(fakePolicy(ALLOW)), '{}'), { ...allowed, gas: 1 })
  })

  it('denies when a loop takes all gas, and goes on', () => {
    const sandbox = sandboxOf(fakePolicy([0x03, 0x40, 0x0c, 0, 0x0b, ...ALLOW]))
    for (let i = 0; i < 3; i++)
      assert.deepEqual(decide(sandbox, '{}'), stopped('the evaluation ran out of gas'))
  })

  it('denies when a recursion takes all stack, and goes on', () => {
    const sevenZeros = [0, 1, 2, 3, 4, 5, 6].flatMap(() => [0x41, 0])
    const sandbox = sandboxOf(fakePolicy([...sevenZeros, 0x10, 0]))
    for (let i = 0; i < 3; i++)
      assert.deepEqual(decide(sandbox, '{}'), stopped('the evaluation ran out of stack'))
  })

  it('denies a trap', () => {
    const sandbox = sandboxOf(fakePolicy([0x00]))
    assert.deepEqual(decide(sandbox, '{}'), stopped('the evaluation trapped'))
  })

  it('lets a policy remember nothing, neither in memory nor in globals nor after a trap', () => {
    // Adds 1 to the global and to two words of memory, one of them far from what it allocated, and traps unless all are 1 now.
    const count = [0x23, 0, 0x41, 1, 0x6a, 0x24, 0]
    const far = [0x41, 0x80, 0x80, 0x20]
    const add = (at: readonly number[]) => [...at, ...at, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0]
    const store = [...add([0x41, 0]), ...add(far)]
    const product = [0x23, 0, 0x41, 0, 0x28, 2, 0, 0x6c, ...far, 0x28, 2, 0, 0x6c]
    const body = [...count, ...store, ...product, 0x41, 1, 0x47, 0x04, 0x40, 0x00, 0x0b, ...ALLOW]
    const sandbox = sandboxOf(fakePolicy(body))
    for (let i = 0; i < 3; i++) assert.equal(decide(sandbox, '{}').allow, true)
    const traps = sandboxOf(
      fakePolicy([...count, ...store, 0x23, 0, 0x41, 1, 0x46, 0x04, 0x40, 0x00, 0x0b, ...ALLOW])
    )
    for (let i = 0; i < 3; i++)
      assert.deepEqual(decide(traps, '{}'), stopped('the evaluation trapped'))
  })

  it('denies an answer that is no decision', () => {
    const malformed = ['engine: the answer is malformed']
    const at = (address: number[]): readonly string[] =>
      decide(sandboxOf(fakePolicy([0x41, ...address])), '{}').reasons
    // The list of builtins, an empty text, the end of memory, an address beyond it.
    for (const address of [[16], [0], [0xff, 0xff, 0x3f], [0x7f]])
      assert.deepEqual(at(address), malformed, String(address))
    // Fills the whole memory with ones and answers from there.
    const endless = [0x41, 0, 0x41, 1, 0x3f, 0, 0x41, 16, 0x74, 0xfc, 0x0b, 0, 0x41, 0]
    assert.deepEqual(decide(sandboxOf(fakePolicy(endless)), '{}').reasons, malformed)
  })

  it('runs what has up to 16,384 bytes in the small memory, whatever the bytes are, and the rest in the large one', () => {
    // Allows in 16 pages and traps in any other number.
    const isSmall = [0x3f, 0, 0x41, 16, 0x46, 0x04, 0x7f, ...ALLOW, 0x05, 0x00, 0x0b]
    const sandbox = sandboxOf(fakePolicy(isSmall))
    const allows = (input: string): boolean => decide(sandbox, input).allow
    for (let i = 0; i < 2; i++) {
      assert.equal(allows(`"${'x'.repeat(16_382)}"`), true)
      assert.equal(allows(`"${'x'.repeat(16_383)}"`), false)
      assert.equal(allows(`"${'é'.repeat(8191)}"`), true)
      assert.equal(allows(`"${'é'.repeat(8191)}x"`), false)
    }
  })

  it('denies inputs of 10 MB and of 10,000 levels', () => {
    const sandbox = sandboxOf(BASE)
    const large = JSON.stringify({ gate: 'message', x: 'x'.repeat(10_000_000) })
    assert.deepEqual(decide(sandbox, large), stopped('the evaluation trapped'))
    assert.deepEqual(decide(sandbox, null), stopped('the evaluation trapped'))
    const deep = '['.repeat(10_000) + ']'.repeat(10_000)
    assert.deepEqual(decide(sandbox, deep), stopped('the evaluation ran out of stack'))
    assert.equal(decide(sandbox, '{"gate":"other"}').gas > 0, true)
  })

  it('sets up what a stranger wrote within its gas, and believes nothing that it returns', () => {
    const start = (body: readonly number[]): string =>
      flawOf(fakePolicy(ALLOW, { opa_json_dump: body }))
    // Fills memory with ones: no text ends. A loop without end. Addresses that are none. Texts that are no tables.
    assert.equal(
      start([0x41, 0, 0x41, 1, 0x3f, 0, 0x41, 16, 0x74, 0xfc, 0x0b, 0, 0x41, 0]),
      UNUSABLE
    )
    assert.throws(() => start([0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0]), /unreachable/u)
    for (const address of [[0x7f], [0xff, 0xff, 0x3f], [0], [0x80, 0x02]])
      assert.equal(start([0x41, ...address]), UNUSABLE, String(address))
    for (const name of ['opa_malloc', 'opa_json_parse'])
      assert.equal(
        flawOf(fakePolicy(ALLOW, { [name]: [0x41, name === 'opa_malloc' ? 0x7f : 0] })),
        UNUSABLE
      )
    const far = sandboxOf(fakePolicy(ALLOW, { opa_heap_ptr_get: [0x41, 0x7f] }))
    assert.deepEqual(decide(far, '{}'), stopped('the evaluation trapped'))
  })

  it('traps where a policy sets itself up in the small memory only', () => {
    // (memory.size) > 16 pages: answers with an address that holds no table.
    const isLarge = [0x3f, 0, 0x41, 16, 0x4b]
    const dump = [...isLarge, 0x04, 0x7f, 0x41, 0, 0x05, 0x20, 0, 0x0b]
    const sandbox = sandboxOf(fakePolicy(ALLOW, { opa_json_dump: dump }))
    assert.equal(decide(sandbox, '{}').allow, true)
    const large = JSON.stringify({ x: 'x'.repeat(20_000) })
    assert.deepEqual(decide(sandbox, large), stopped('the evaluation trapped'))
  })

  it('need not zero what the base policy never allocated', () => {
    const policy = setUp(new webAssembly.Module(METERED), SMALL_MEMORY_PAGES)
    assert.ok(policy.ok)
    const { memory, exports, data, heap, entrypoints } = policy.value
    const first = memory.slice()
    const call = (name: string, ...values: number[]): number => {
      const counter = exports['metering:gas'] as { value: number | bigint }
      counter.value = 50_000_000n
      return (exports[name] as (...values: number[]) => number)(...values)
    }
    const { vectors } = loadCapsule(basePath())
    const asked = [...vectors.map(({ input }) => input), ...fc.sample(question, 1000)]
    for (const input of asked) {
      const bytes = new TextEncoder().encode(policyText(input) ?? '')
      if (bytes.length > SMALL_INPUT_BYTES) continue
      memory.set(first)
      memory.set(bytes, heap)
      const end = heap + bytes.length
      const entrypoint = entrypoints.get('base/decision') ?? 0
      call('opa_eval', 0, entrypoint, data, heap, bytes.length, end, 0)
      const allocated = call('opa_heap_ptr_get')
      assert.ok(allocated > end)
      assert.equal(Buffer.compare(memory.subarray(allocated), ZEROS.subarray(allocated)), 0)
    }
  })

  it('says what is wrong with wasm that it refuses', () => {
    assert.equal(flawOf(BASE), 'none')
    assert.equal(flawOf(BASE, 'base/other'), 'WASM_UNUSABLE')
    assert.equal(flawOf(Uint8Array.of(1, 2, 3)), 'METERING_MALFORMED')
    // Dead code may be anything to the metering, not to the validator.
    assert.equal(flawOf(fakePolicy([0x00, 0x6a, ...ALLOW, 0x1a, 0x92])), 'WASM_INVALID')
  })
})
