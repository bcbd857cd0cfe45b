/**
 * Bench `policy`: what metering costs, what the threads of a node get done, what OPA's own server costs, and that memory stays. The base capsule's vectors,
 * all in one run: with and without metering by the same few lines of host code, in turns, so that both meet the same machine.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { opaPolicyEngine } from '../../src/adapters/opa/index.ts'
import { meterModule } from '../../src/core/metering/index.ts'
import { type PolicyInput, policyText } from '../../src/core/policy/index.ts'
import { basePath } from '../../src/policy/index.ts'
import { type PolicyInstance, policyInstance } from '../support/policy-instance.ts'
import { type Bench, median, percentile } from './bench.ts'
import { OpaServer } from './opa-server.ts'

type Report = Parameters<Bench['run']>[0]

const GAS = 50_000_000
const ROUNDS = 60
/** Evaluations of one vector that give one sample. */
const BATCH = 10
const WARM_UP = 300
/** ms in which the engine compiles what it found to be hot. */
const TIER_UP_MS = 2000
/** Questions to the node's threads; a million with `--full`. */
const QUESTIONS = process.argv.includes('--full') ? 1_000_000 : 200_000
/** Under way at once: as many as the door has. */
const WIDTH = 64
/** Questions before memory is looked at, and between two looks. */
const SETTLED = 20_000
const LOOK_EVERY = 5_000
const SERVER_ROUNDS = 25
const MIB = 1024 * 1024

export const policyBench: Bench = {
  name: 'policy',
  about: 'evaluations of the base capsule: metering, threads, memory, and OPA’s server',
  run: async report => {
    const inputs = readInputs()
    await benchMetering(inputs, report)
    await benchServer(inputs, report)
    await benchThreads(inputs, report)
  }
}

async function benchMetering(inputs: readonly PolicyInput[], report: Report): Promise<void> {
  const texts = inputs.map(input => policyText(input) ?? '')
  const plain = readFileSync(`${basePath()}/capsule.wasm`)
  const start = performance.now()
  const metered = meterModule(plain)
  const meterMs = performance.now() - start
  if (!metered.ok) throw new RangeError(metered.refusal.message)
  const both = [policyInstance(metered.value), policyInstance(plain)] as const
  for (const instance of both) sample(instance, texts, WARM_UP)
  await wait(TIER_UP_MS)
  const samples: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++)
    for (const i of [0, 1] as const) samples[i].push(...sample(both[i], texts, BATCH))
  const [paying, free] = samples
  const about = {
    unit: 'us',
    n: paying.length,
    note: `${texts.length} vectors, batches of ${BATCH}, in one thread`
  }
  report({ metric: 'metered_p50_us', value: round1(median(paying)), ...about })
  report({ metric: 'metered_p99_us', value: round1(percentile(paying, 0.99)), ...about })
  report({ metric: 'unmetered_p50_us', value: round1(median(free)), ...about })
  const ratio = Math.round((100 * median(paying)) / median(free)) / 100
  report({ metric: 'metering_ratio', value: ratio, ...about, unit: '' })
  const cold = { n: 1, note: 'the base capsule, in a process that never did it before' }
  report({ metric: 'meter_ms', value: round1(meterMs), unit: 'ms', ...cold })
}

async function benchServer(inputs: readonly PolicyInput[], report: Report): Promise<void> {
  const server = await OpaServer.start(basePath())
  if (server === null) return
  try {
    const texts = inputs.map(input => policyText(input) ?? '')
    const ask = (text: string): Promise<string> => server.ask('base/decision', text)
    for (let i = 0; i < WARM_UP; i++) await ask(texts[i % texts.length] as string)
    const samples: number[] = []
    for (let round = 0; round < SERVER_ROUNDS; round++)
      for (const text of texts) samples.push(await microseconds(() => ask(text)))
    const note = 'opa run --server, one connection over loopback, one question at a time'
    const about = { unit: 'us', n: samples.length, note }
    report({ metric: 'opa_server_p50_us', value: round1(median(samples)), ...about })
  } finally {
    await server.stop()
  }
}

/** As the door of a node asks: alone in its own thread, many at once through the pool, which has the machine's processors, two at most. */
async function benchThreads(inputs: readonly PolicyInput[], report: Report): Promise<void> {
  const engine = opaPolicyEngine({
    workerUrl: new URL('../../src/adapters/opa/worker.ts', import.meta.url),
    directories: [basePath()],
    timeoutMs: 60_000,
    logger: { error: console.error, warn: console.error, info() {}, debug() {} }
  })
  const ask = (i: number): Promise<unknown> =>
    engine.evaluate(engine.baseCapsule, inputs[i % inputs.length] as PolicyInput)
  await engine.start()
  try {
    await askMany(ask, SETTLED)
    const single: number[] = []
    for (let i = 0; i < 3000; i++) single.push(await microseconds(() => ask(i)))
    const alone = { unit: 'us', n: single.length, note: 'as the door asks, one question at a time' }
    report({ metric: 'engine_p50_us', value: round1(median(single)), ...alone })
    report({ metric: 'engine_p99_us', value: round1(percentile(single, 0.99)), ...alone })
    const looks: [done: number, mib: number][] = []
    const begin = performance.now()
    await askMany(ask, QUESTIONS, done => looks.push([done, process.memoryUsage.rss() / MIB]))
    const seconds = (performance.now() - begin) / 1000
    const note = `through the pool, ${WIDTH} questions under way`
    const many = { n: QUESTIONS, note }
    const perSecond = Math.round(QUESTIONS / seconds)
    report({ metric: 'per_second', value: perSecond, unit: '1/s', ...many })
    const growth = Math.round(slope(looks) * 1_000_000 * 10) / 10
    const drift = {
      unit: 'MB',
      n: looks.length,
      note: `slope of RSS over ${QUESTIONS} evaluations`
    }
    report({ metric: 'rss_growth_mb_per_million', value: growth, ...drift })
  } finally {
    await engine.stop()
  }
}

async function askMany(
  ask: (i: number) => Promise<unknown>,
  count: number,
  look: (done: number) => void = () => undefined
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const i = next++
      await ask(i)
      if (i % LOOK_EVERY === 0) look(i)
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, lane))
}

/** Of the line that lies closest to the points. The first third is left out: heaps are still finding their size. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const settled = points.slice(Math.floor(points.length / 3))
  const n = settled.length
  const meanX = settled.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = settled.reduce((sum, [, y]) => sum + y, 0) / n
  const above = settled.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return above / settled.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}

function readInputs(): PolicyInput[] {
  const vectors: { input: PolicyInput }[] = JSON.parse(
    readFileSync(`${basePath()}/vectors.json`, 'utf8')
  )
  return vectors.map(({ input }) => input)
}

/** Microseconds of one evaluation, for each input. */
function sample(instance: PolicyInstance, inputs: readonly string[], batch: number): number[] {
  return inputs.map(input => {
    const start = performance.now()
    for (let i = 0; i < batch; i++) instance.evaluate(input, GAS)
    return ((performance.now() - start) / batch) * 1000
  })
}

async function microseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) * 1000
}

const round1 = (value: number): number => Math.round(value * 10) / 10
