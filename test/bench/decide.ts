import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bench, percentile } from './bench.ts'
import { type CoreNode, CoreSwarm } from './core-swarm.ts'
import { EtcdCluster, findEtcd, HOW_TO_GET_ETCD } from './etcd.ts'

const NODES = 5
/** One at a time. */
const ALONE = 200
const WARM_UP = 20
const IN_FLIGHT = 1000
/** etcd answers a thousand in less than half a second: more are needed for a steady figure. */
const ETCD_TRANSACTIONS = 5000

type Report = Parameters<Bench['run']>[0]
/** What is measured of either side. */
type Figures = { readonly alone: readonly number[]; readonly perSecond: number; readonly n: number }

/** Deciding a NEED against putting a key into etcd, on the same disk in the same run. */
export const decideBench: Bench = {
  name: 'decide',
  about: 'K_plan reached to certificate held, and NEEDs decided a second, beside a cluster of etcd',
  async run(report) {
    const dir = mkdtempSync(join(tmpdir(), 'can-swarm-bench-'))
    try {
      await reportCore(report, dir)
      await reportEtcd(report, dir)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

async function reportCore(report: Report, dir: string): Promise<void> {
  const about =
    'five nodes in one process: driver, journal with fsync, signatures; network in memory, no policies'
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
    const start = performance.now()
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, (_, index) => swarm.decide(requester(index)))
    )
    const perSecond = (1000 * IN_FLIGHT) / (performance.now() - start)
    reportFigures(report, 'core_', { alone, perSecond, n: IN_FLIGHT }, about)
  } finally {
    await swarm.stop()
  }
}

async function reportEtcd(report: Report, dir: string): Promise<void> {
  const program = findEtcd()
  if (program === null) return console.error(HOW_TO_GET_ETCD)
  const folder = join(dir, 'etcd')
  mkdirSync(folder)
  const cluster = await EtcdCluster.start(program, folder)
  try {
    const alone: number[] = []
    for (let run = 0; run < ALONE + WARM_UP; run += 1) {
      const ms = await cluster.putIfAbsent()
      if (run >= WARM_UP) alone.push(ms)
    }
    let left = ETCD_TRANSACTIONS
    const lane = async (): Promise<void> => {
      while (left-- > 0) await cluster.putIfAbsent()
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, () => cluster.putIfAbsent()))
    const start = performance.now()
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
    const perSecond = (1000 * ETCD_TRANSACTIONS) / (performance.now() - start)
    const about = 'three members of etcd on this disk, put-if-absent over its HTTP gateway'
    reportFigures(report, 'etcd_', { alone, perSecond, n: ETCD_TRANSACTIONS }, about)
  } finally {
    await cluster.stop()
  }
}

function reportFigures(report: Report, prefix: string, figures: Figures, about: string): void {
  for (const [name, share] of [
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99]
  ] as const) {
    report({
      metric: `${prefix}${name}_ms`,
      value: Number(percentile(figures.alone, share).toFixed(2)),
      unit: 'ms',
      n: figures.alone.length,
      note: `${about}; one at a time`
    })
  }
  report({
    metric: `${prefix}per_second`,
    value: Math.round(figures.perSecond),
    unit: '1/s',
    n: figures.n,
    note: `${about}; ${IN_FLIGHT} in flight`
  })
}
