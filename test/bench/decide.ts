import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Bench, percentile } from './bench.ts'
import { type CoreNode, CoreSwarm } from './core-swarm.ts'
import { EtcdCluster, findEtcd, HOW_TO_GET_ETCD } from './etcd.ts'
import { bytesInUse, endedGroupBytes } from './memory.ts'
import { NodeSwarm } from './node-swarm.ts'

const NODES = 5
/** One at a time. */
const ALONE = 200
const WARM_UP = 20
const IN_FLIGHT = 1000
/** Longest time for those in flight, in ms. */
const RATE_MS_MAX = 120_000
/** Groups that have ended. */
const ENDED = 10_000
/** etcd answers a thousand in less than half a second: more are needed for a steady figure. */
const ETCD_TRANSACTIONS = 5000

type Report = Parameters<Bench['run']>[0]
type Rate = { readonly perSecond: number; readonly n: number }

const SHARES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99]
] as const

/** Deciding a NEED against putting a key into etcd, on the same disk in the same run. */
export const decideBench: Bench = {
  name: 'decide',
  about: 'K_plan reached to certificate held, and NEEDs decided a second, beside a cluster of etcd',
  async run(report) {
    const dir = mkdtempSync(join(tmpdir(), 'can-swarm-bench-'))
    try {
      await reportEtcd(report, dir)
      await reportNodes(report, dir)
      await reportCore(report, dir)
      await reportEnded(report)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

/** What a user runs. */
async function reportNodes(report: Report, dir: string): Promise<void> {
  const about = 'five node processes: libp2p over loopback, policies, journals with fsync'
  const side = new Side(report, '', about)
  const folder = join(dir, 'nodes')
  mkdirSync(folder)
  const swarm = await NodeSwarm.start(folder, NODES)
  try {
    const alone: number[] = []
    for (let run = 0; run < ALONE + WARM_UP; run += 1) {
      const thread = await swarm.decide(run, { isPatient: true })
      if (run >= WARM_UP) alone.push(await swarm.latency(thread))
    }
    side.alone(alone)
    side.rate(await rateOf(index => swarm.decide(index, { isPatient: false })))
  } finally {
    await swarm.stop()
  }
}

/** The same without libp2p, policies and processes: what is left is ours. */
async function reportCore(report: Report, dir: string): Promise<void> {
  const about =
    'five nodes in one process: driver, door, journals with fsync, signatures; network in memory, no policies'
  const side = new Side(report, 'core_', about)
  const folder = join(dir, 'core')
  mkdirSync(folder)
  const swarm = await CoreSwarm.start(folder, NODES)
  try {
    const requester = (index: number): CoreNode => swarm.nodes[index % NODES] as CoreNode
    const alone: number[] = []
    for (let run = 0; run < ALONE + WARM_UP; run += 1) {
      const thread = await swarm.decide(requester(run))
      if (run >= WARM_UP) alone.push(swarm.latency(thread))
    }
    side.alone(alone)
    await swarm.resting()
    const before = await bytesInUse()
    const rate = await rateOf(index => swarm.decide(requester(index)))
    side.rate(rate)
    if (rate.n < IN_FLIGHT) return
    await swarm.resting()
    report({
      metric: 'live_group_kb',
      value: round(((await bytesInUse()) - before) / 1000 / IN_FLIGHT / NODES),
      unit: 'KB',
      n: IN_FLIGHT,
      note: 'memory of a node for each group that is decided, has not ended and sleeps, envelopes and replay protection included; aim: under 30'
    })
  } finally {
    await swarm.stop()
  }
}

async function reportEnded(report: Report): Promise<void> {
  report({
    metric: 'ended_group_bytes',
    value: Math.round(await endedGroupBytes(ENDED)),
    unit: 'B',
    n: ENDED,
    note: 'memory of a node for each group that has ended and been archived; aim: under 500'
  })
}

/** NEEDs decided a second with so many in flight; on a slow machine those that are decided in time are counted. */
async function rateOf(decide: (index: number) => Promise<unknown>): Promise<Rate> {
  let n = 0
  let lastMs = 0
  const start = performance.now()
  const all = Array.from({ length: IN_FLIGHT }, async (_, index) => {
    await decide(index)
    n += 1
    lastMs = performance.now() - start
  })
  const late = new AbortController()
  const bound = delay(RATE_MS_MAX, null, { signal: late.signal }).catch(() => null)
  await Promise.race([Promise.all(all), bound])
  late.abort()
  return { perSecond: n === 0 ? 0 : (1000 * n) / lastMs, n }
}

function round(value: number): number {
  return Number(value.toFixed(1))
}

async function reportEtcd(report: Report, dir: string): Promise<void> {
  const program = findEtcd()
  if (program === null) return console.error(HOW_TO_GET_ETCD)
  const about = 'three members of etcd on this disk, put-if-absent over its HTTP gateway'
  const side = new Side(report, 'etcd_', about)
  const folder = join(dir, 'etcd')
  mkdirSync(folder)
  const cluster = await EtcdCluster.start(program, folder)
  try {
    const alone: number[] = []
    for (let run = 0; run < ALONE + WARM_UP; run += 1) {
      const ms = await cluster.putIfAbsent()
      if (run >= WARM_UP) alone.push(ms)
    }
    side.alone(alone)
    let left = ETCD_TRANSACTIONS
    const lane = async (): Promise<void> => {
      while (left-- > 0) await cluster.putIfAbsent()
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, () => cluster.putIfAbsent()))
    const start = performance.now()
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
    const perSecond = (1000 * ETCD_TRANSACTIONS) / (performance.now() - start)
    side.rate({ perSecond, n: ETCD_TRANSACTIONS })
  } finally {
    await cluster.stop()
  }
}

/** One of the three that are measured. */
class Side {
  readonly #report: Report
  readonly #prefix: string
  readonly #about: string

  constructor(report: Report, prefix: string, about: string) {
    this.#report = report
    this.#prefix = prefix
    this.#about = about
  }

  alone(samples: readonly number[]): void {
    for (const [name, share] of SHARES) {
      this.#report({
        metric: `${this.#prefix}${name}_ms`,
        value: Number(percentile(samples, share).toFixed(2)),
        unit: 'ms',
        n: samples.length,
        note: `${this.#about}; one at a time`
      })
    }
  }

  rate({ perSecond, n }: Rate): void {
    this.#report({
      metric: `${this.#prefix}per_second`,
      value: round(perSecond),
      unit: '1/s',
      n,
      note: `${this.#about}; ${IN_FLIGHT} in flight`
    })
  }
}
