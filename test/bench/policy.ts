/**
 * Bench `policy`: what metering costs. The base capsule's vectors, evaluated with and without metering by the same few lines of
 * host code, in turns, so that both meet the same machine.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { meterModule } from '../../src/core/metering/index.ts'
import { type PolicyInput, policyText } from '../../src/core/policy/index.ts'
import { type PolicyInstance, policyInstance } from '../support/policy-instance.ts'
import { type Bench, median, percentile } from './bench.ts'

const POLICIES = new URL('../../policies/', import.meta.url)
const GAS = 50_000_000
const ROUNDS = 60
/** Evaluations of one vector that give one sample. */
const BATCH = 10
const WARM_UP = 300
/** ms in which the engine compiles what it found to be hot. */
const TIER_UP_MS = 2000

export const policyBench: Bench = {
  name: 'policy',
  about: 'evaluations of the base capsule with and without metering',
  run: async report => {
    const plain = readFileSync(new URL('base/capsule.wasm', POLICIES))
    const start = performance.now()
    const metered = meterModule(plain)
    const meterMs = performance.now() - start
    if (!metered.ok) throw new RangeError(metered.refusal.message)
    const inputs = readInputs()
    const both = [policyInstance(metered.value), policyInstance(plain)] as const
    for (const instance of both) sample(instance, inputs, WARM_UP)
    await wait(TIER_UP_MS)
    const samples: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++)
      for (const i of [0, 1] as const) samples[i].push(...sample(both[i], inputs, BATCH))
    const [paying, free] = samples
    const n = paying.length
    const note = `${inputs.length} vectors, batches of ${BATCH}, in one thread`
    report({ metric: 'metered_p50_us', value: round1(median(paying)), unit: 'us', n, note })
    report({
      metric: 'metered_p99_us',
      value: round1(percentile(paying, 0.99)),
      unit: 'us',
      n,
      note
    })
    report({ metric: 'unmetered_p50_us', value: round1(median(free)), unit: 'us', n, note })
    const ratio = Math.round((100 * median(paying)) / median(free)) / 100
    report({ metric: 'metering_ratio', value: ratio, unit: '', n, note })
    const cold = { n: 1, note: 'the base capsule, in a process that never did it before' }
    report({ metric: 'meter_ms', value: round1(meterMs), unit: 'ms', ...cold })
  }
}

function readInputs(): string[] {
  const text = readFileSync(new URL('base/vectors.json', POLICIES), 'utf8')
  const vectors: { input: PolicyInput }[] = JSON.parse(text)
  return vectors.map(({ input }) => policyText(input) ?? '')
}

/** Microseconds of one evaluation, for each input. */
function sample(instance: PolicyInstance, inputs: readonly string[], batch: number): number[] {
  return inputs.map(input => {
    const start = performance.now()
    for (let i = 0; i < batch; i++) instance.evaluate(input, GAS)
    return ((performance.now() - start) / batch) * 1000
  })
}

const round1 = (value: number): number => Math.round(value * 10) / 10
