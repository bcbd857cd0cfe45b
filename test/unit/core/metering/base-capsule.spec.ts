// The real thing: the base capsule as OPA compiled it, metered. Same decisions, exact gas, the same bytes for ever.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { toHex } from '../../../../src/core/base/index.ts'
import { hash } from '../../../../src/core/codec/index.ts'
import { METERING_RULES, meterModule } from '../../../../src/core/metering/index.ts'
import { policyInstance } from '../../../support/policy-instance.ts'
import { webAssembly } from '../../../support/web-assembly.ts'

const POLICIES = new URL('../../../../policies/', import.meta.url)
const source = readFileSync(new URL('base/capsule.wasm', POLICIES))
const vectors: { name: string; input: unknown }[] = JSON.parse(
  readFileSync(new URL('base/vectors.json', POLICIES), 'utf8')
)
const inputs = vectors.map(({ input }) => JSON.stringify(input))
/** Far above any evaluation. */
const PLENTY = 10 ** 9

function metered(): Uint8Array {
  const result = meterModule(source)
  assert.ok(result.ok)
  return result.value
}

describe('core/metering/base capsule', () => {
  it('answers as the module that it was', () => {
    const plain = policyInstance(source)
    const paying = policyInstance(metered())
    for (const input of inputs)
      assert.equal(paying.evaluate(input, PLENTY).answer, plain.evaluate(input).answer)
  })

  it('costs the same in every run and in every instance', () => {
    const wasm = metered()
    const reused = policyInstance(wasm)
    for (const input of [...inputs, ...inputs]) {
      const fresh = policyInstance(wasm).evaluate(input, PLENTY).gas
      assert.equal(reused.evaluate(input, PLENTY).gas, fresh)
    }
  })

  it('passes with exactly its gas and traps with one less', () => {
    const wasm = metered()
    for (const input of inputs) {
      const { gas, answer } = policyInstance(wasm).evaluate(input, PLENTY)
      assert.equal(policyInstance(wasm).evaluate(input, gas).answer, answer)
      const short = policyInstance(wasm)
      assert.throws(() => short.evaluate(input, gas - 1), webAssembly.RuntimeError)
      assert.ok(short.gasLeft() < 0)
    }
  })

  it('gives back the stack that it took', () => {
    const instance = policyInstance(metered())
    const before = instance.stackLeft()
    instance.evaluate(inputs[0] ?? '', PLENTY)
    assert.equal(instance.stackLeft(), before)
  })

  it('has the bytes that it had when the rules were written', () => {
    assert.equal(
      toHex(hash(metered())),
      '608786e4ea265206cc6674ed920ce9837739a06047f11aeab20fd764872e4dc0'
    )
  })

  it('follows the rules whose hash the engine commits to', () => {
    const rules = readFileSync(new URL('../../../../protocols/policy/metering.md', import.meta.url))
    assert.equal(toHex(METERING_RULES), toHex(hash(rules)))
  })
})
