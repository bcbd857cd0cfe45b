import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { waitForThread } from '../../src/agents/index.ts'
import {
  NodeProcess,
  nodeEnvironment,
  packageRoot,
  Testnet,
  threadTimings
} from '../../src/testnet/index.ts'
import { type Bench, median, percentile } from './bench.ts'

const STARTS = 11
const NEEDS = 21
/** First runs fill caches of the disk and of the compilers. */
const WARM_UP = 1
/** ms after which a started node counts as idle: its first announcements are out. */
const IDLE_AFTER_MS = 10_000

/** A node from the outside: how soon it is there, what it takes, what a job costs beyond the windows that were asked for. */
export const nodeBench: Bench = {
  name: 'node',
  about: 'start, memory, overhead of a job on a five-node testnet, installed size',
  async run(report) {
    const starts = await startTimes()
    const n = starts.length
    const aim = 'aim: under 1000'
    const note = `from process start, new home; ${aim}`
    report({
      metric: 'start_to_listening_ms',
      value: median(starts),
      unit: 'ms',
      n,
      note: `median, ${note}`
    })
    report({
      metric: 'start_to_listening_p95_ms',
      value: percentile(starts, 0.95),
      unit: 'ms',
      n,
      note: `p95, ${note}`
    })
    const { overheads, rss } = await jobs()
    report({
      metric: 'idle_rss_mb',
      value: median(rss),
      unit: 'MB',
      n: rss.length,
      note: `median over the nodes, ${IDLE_AFTER_MS / 1000} s after the start; aim: under 130`
    })
    const job = `NEED to FINALIZE seen by the requester, without bid, seal and challenge windows; ${aim}`
    report({
      metric: 'need_to_finalize_overhead_ms',
      value: median(overheads),
      unit: 'ms',
      n: overheads.length,
      note: `median, ${job}`
    })
    report({
      metric: 'need_to_finalize_overhead_p95_ms',
      value: percentile(overheads, 0.95),
      unit: 'ms',
      n: overheads.length,
      note: `p95, ${job}`
    })
    report({
      metric: 'installed_mb',
      value: installedMegabytes(),
      unit: 'MB',
      n: 1,
      note: 'disk space of node_modules without the Node.js binary; aim: under 200'
    })
  }
}

async function startTimes(): Promise<number[]> {
  const times: number[] = []
  for (let run = 0; run < STARTS + WARM_UP; run += 1) {
    const home = mkdtempSync(join(tmpdir(), 'can-swarm-bench-'))
    const node = new NodeProcess({
      role: { name: 'bench', title: 'bench', work: [], verify: [], bad: false },
      home,
      network: 'bench',
      listen: '/ip4/127.0.0.1/tcp/0',
      join: [],
      env: nodeEnvironment(process.env)
    })
    try {
      await node.start(new AbortController().signal)
      if (run >= WARM_UP) times.push(node.status.startupMs)
    } finally {
      await node.stop()
      rmSync(home, { recursive: true, force: true })
    }
  }
  return times
}

async function jobs(): Promise<{ overheads: number[]; rss: number[] }> {
  const testnet = await Testnet.start({ nodes: 5, capability: 'text/language' })
  try {
    await testnet.connected()
    await delay(IDLE_AFTER_MS)
    const rss = await Promise.all(
      testnet.nodes.map(async ({ client }) => (await client.call('node.status', {})).rssBytes / 1e6)
    )
    const overheads: number[] = []
    for (let run = 0; run < NEEDS + WARM_UP; run += 1) {
      const overhead = await jobOverhead(testnet)
      if (run >= WARM_UP) overheads.push(overhead)
    }
    return { overheads, rss: rss.map(value => Math.round(value)) }
  } finally {
    await testnet.stop()
    rmSync(testnet.dir, { recursive: true, force: true })
  }
}

async function jobOverhead(testnet: Testnet): Promise<number> {
  const { client } = testnet.first
  const inputPath = join(packageRoot(), 'testnet', 'inputs', 'udhr-10.txt')
  const windows = { bidMs: 300, sealMs: 100, challengeMs: 300 }
  const { thread } = await client.call('need.state', {
    capability: 'text/language',
    inputPath,
    windows,
    ttlMs: 60_000
  })
  const view = await waitForThread(client, thread)
  const { overheadMs } = threadTimings(view)
  if (view.phase !== 'FINAL' || overheadMs === null)
    throw new Error(`a job of the bench ended ${view.phase}: ${view.reason}`)
  return overheadMs
}

/** Blocks on disk, like du: many small files take more than their bytes. */
function installedMegabytes(): number {
  const modules = join(packageRoot(), 'node_modules')
  const counted = new Set<number>()
  const bytes = readdirSync(modules)
    .filter(name => name !== 'node' && !name.startsWith('node-bin-'))
    .reduce((sum, name) => sum + diskBytes(join(modules, name), counted), 0)
  return Math.round(bytes / 1e6)
}

/** As `du` does: blocks on disk, a file with several names once. */
function diskBytes(path: string, counted: Set<number>): number {
  const stats = lstatSync(path)
  if (stats.nlink > 1 && !stats.isDirectory()) {
    if (counted.has(stats.ino)) return 0
    counted.add(stats.ino)
  }
  const own = stats.blocks * 512
  if (!stats.isDirectory()) return own
  return readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name), counted), own)
}
