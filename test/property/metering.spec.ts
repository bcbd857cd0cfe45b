// Metering against an interpreter that only adds up costs: same value, same gas, the same end, for random programs. And noise
// instead of modules never throws.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { EXPORTS, meterModule } from '../../src/core/metering/index.ts'
import { policyText } from '../../src/core/policy/index.ts'
import { policyInstance } from '../support/policy-instance.ts'
import { question } from '../support/policy-questions.ts'
import { randomProgram } from '../support/wasm-generator.ts'
import { interpret } from '../support/wasm-interpreter.ts'
import { assemble, type Program } from '../support/wasm-program.ts'
import { type Ran, runMetered, runPlain } from '../support/wasm-run.ts'
import { webAssembly } from '../support/web-assembly.ts'

const capsule = readFileSync(new URL('../../policies/base/capsule.wasm', import.meta.url))
const GAS_MAX = 20_000

const program = fc
  .infiniteStream(fc.nat())
  .map(stream => randomProgram(count => (stream.next().value as number) % count))

const CAPSULE_GAS = 50_000_000

const questionText = question.map(policyText).filter(text => text !== null)

const inputOf = ({ procedures }: Program): number[] =>
  [3, -1, 7].slice(0, procedures[0]?.parameters ?? 0)

describe('property/metering', function () {
  this.timeout(60_000)

  it('agrees with the interpreter on value and gas', () => {
    let finished = 0
    fc.assert(
      fc.property(program, source => {
        const wasm = assemble(source)
        assert.ok(webAssembly.validate(wasm), 'the generator writes valid programs')
        const metered = meterModule(wasm)
        assert.ok(metered.ok)
        assert.ok(webAssembly.validate(metered.value), 'the metered module is valid')
        const outcome = interpret(source, inputOf(source), GAS_MAX)
        const ran = runMetered(metered.value, inputOf(source), GAS_MAX)
        if (outcome.kind === 'value') {
          finished++
          assert.deepEqual(ran, { kind: 'value', value: outcome.value, gas: outcome.gas })
          assert.equal(runPlain(wasm, inputOf(source)).value, outcome.value)
          exactGasPasses(metered.value, inputOf(source), ran)
        } else assert.ok(ran.kind !== 'value' || outcome.kind === 'too-deep')
        if (outcome.kind === 'out-of-gas') assert.equal(ran.kind, 'out-of-gas')
      }),
      { numRuns: 2000 }
    )
    assert.ok(finished > 300, `${finished} programs ran to their end`)
  })

  it('changes no answer of the base capsule, and charges each input the same wherever it runs', () => {
    const metered = meterModule(capsule)
    assert.ok(metered.ok)
    const plain = policyInstance(capsule)
    const reused = policyInstance(metered.value)
    const seen = new Map<string, number>()
    const check = (text: string): void => {
      const { answer, gas } = reused.evaluate(text, CAPSULE_GAS)
      assert.equal(answer, plain.evaluate(text).answer)
      assert.equal(gas, seen.get(text) ?? gas)
      seen.set(text, gas)
    }
    fc.assert(fc.property(questionText, check), { numRuns: 3000 })
    // Again in another order and in another instance: nothing of the first round is left.
    const fresh = policyInstance(metered.value)
    for (const [text, gas] of [...seen].reverse()) {
      check(text)
      assert.equal(fresh.evaluate(text, CAPSULE_GAS).gas, gas)
    }
    assert.ok(seen.size > 2000)
  })

  it('gives the same bytes each time', () => {
    fc.assert(
      fc.property(program, source => {
        assert.deepEqual(meterModule(assemble(source)), meterModule(assemble(source)))
      }),
      { numRuns: 100 }
    )
  })

  it('refuses noise and never throws', () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), noise => {
        assert.equal(typeof meterModule(noise).ok, 'boolean')
        assert.equal(typeof meterModule(Uint8Array.from([...header, ...noise])).ok, 'boolean')
      }),
      { numRuns: 3000 }
    )
  })

  it('makes valid modules of all valid ones that it takes', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255))
    fc.assert(
      fc.property(program, fc.array(change, { minLength: 1, maxLength: 3 }), (source, changes) => {
        const mutant = assemble(source)
        for (const [at, value] of changes) mutant[8 + (at % (mutant.length - 8))] = value
        const metered = meterModule(mutant)
        if (metered.ok && webAssembly.validate(mutant))
          assert.ok(webAssembly.validate(metered.value))
      }),
      { numRuns: 3000 }
    )
  })

  it('never throws on a damaged capsule', () => {
    fc.assert(
      fc.property(fc.nat(capsule.length - 1), fc.nat(255), fc.nat(), (at, value, cut) => {
        const damaged = Uint8Array.from(capsule)
        damaged[at] = value
        const metered = meterModule(damaged)
        if (metered.ok && webAssembly.validate(damaged))
          assert.ok(webAssembly.validate(metered.value))
        assert.equal(meterModule(capsule.subarray(0, cut % capsule.length)).ok, false)
      }),
      { numRuns: 40 }
    )
  })

  it('keeps its counters out of the reach of the module', () => {
    assert.ok(Object.values(EXPORTS).every(name => name.startsWith('metering:')))
  })
})

function exactGasPasses(wasm: Uint8Array, input: readonly number[], ran: Ran): void {
  if (ran.kind !== 'value') return
  assert.deepEqual(runMetered(wasm, input, ran.gas), ran)
  if (ran.gas > 0) assert.equal(runMetered(wasm, input, ran.gas - 1).kind, 'out-of-gas')
}
