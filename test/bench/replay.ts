/**
 * Bench `replay`: a thread of 10,000 events, with real signatures and policies, verified and replayed by the program as a user runs it, and
 * beside it what that many signatures alone take, both on all cores.
 */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { ENTRIES_PER_THREAD_MAX } from '../../src/core/base/index.ts'
import { writeRecord } from '../../src/replay/index.ts'
import { type LongThread, longThread } from '../support/long-thread.ts'
import { realPolicy } from '../support/real-policy.ts'
import { type Bench, median } from './bench.ts'
import { coldBytes, EVENTS_PER_THREAD, fastSyncMs } from './history-sync.ts'

const EVENTS = 10_000
const RUNS = 3
/** Events of a network's history. */
const HISTORY_EVENTS = 100_000
const BIN = fileURLToPath(new URL('../../bin/can-swarm.js', import.meta.url))
/** Tells how long the process ran and the most memory that it had. */
const WATCH = `
process.on('exit', () => {
  const { maxRSS } = process.resourceUsage()
  process.stderr.write(JSON.stringify({ ms: performance.now(), rssMb: maxRSS / 1024 }))
})
`

type Run = { readonly ms: number; readonly rssMb: number }

export const replayBench: Bench = {
  name: 'replay',
  about:
    'verifying and replaying a thread of 10,000 events, beside the bare cost of its signatures',
  run: async report => {
    const folder = await mkdtemp(join(tmpdir(), 'can-swarm-bench-'))
    try {
      const record = join(folder, 'long.jsonl')
      const watch = join(folder, 'watch.mjs')
      await writeFile(watch, WATCH)
      const policy = realPolicy()
      const thread = longThread(EVENTS, policy)
      const { engine, capsule: base } = policy
      await writeRecord(record, { ...thread, base, engine }, thread.keys)
      const events = thread.items.length
      const run = (command: string): Promise<Run> => runCli(watch, [command, record])
      const verifies: Run[] = []
      const replays: Run[] = []
      const longest = join(folder, 'longest.jsonl')
      const long = longThread(ENTRIES_PER_THREAD_MAX, policy)
      await writeRecord(longest, { ...long, base, engine }, long.keys)
      const longs: Run[] = []
      const bare: number[] = []
      const threads = await bareThreads()
      // In turns, so that all meet the same machine.
      for (let i = 0; i < RUNS; i++) {
        replays.push(await run('replay'))
        verifies.push(await run('verify'))
        longs.push(await runCli(watch, ['verify', longest]))
        bare.push(await bareMs(threads, events))
      }
      await Promise.all(threads.map(thread => thread.terminate()))
      const note = `${events} events on ${threads.length} cores, the whole command, its start included`
      const ms = (runs: readonly Run[]): number => median(runs.map(one => one.ms))
      report({ metric: 'replay_10k_ms', value: Math.round(ms(replays)), unit: 'ms', n: RUNS, note })
      const rss = Math.max(...replays.map(one => one.rssMb))
      report({ metric: 'replay_rss_mb', value: Math.round(rss), unit: 'MB', n: RUNS, note: 'most' })
      const perSecond = Math.round((events / ms(verifies)) * 1000)
      report({ metric: 'verify_per_second', value: perSecond, unit: '1/s', n: RUNS, note })
      report({
        metric: 'verify_steady_per_second',
        value: Math.round(((long.items.length - events) / (ms(longs) - ms(verifies))) * 1000),
        unit: '1/s',
        n: RUNS,
        note: `the further events of the longest thread there can be, of ${long.items.length}: without the start of the command and the compiling of its code`
      })
      report({
        metric: 'bare_verify_per_second',
        value: Math.round((events / median(bare)) * 1000),
        unit: '1/s',
        n: RUNS,
        note: `as many Ed25519 verifications by node:crypto, on ${threads.length} threads that wait for them`
      })
      const { size } = await stat(record)
      report({
        metric: 'bytes_per_event_hot',
        value: Math.round(size / events),
        unit: 'B',
        n: 1,
        note: 'in the audit folder'
      })
      await reportHistory(report, { folder, record, thread, replayMs: ms(replays) })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** What checkpoints and cold files save. */
async function reportHistory(
  report: Parameters<Bench['run']>[0],
  {
    folder,
    record,
    thread,
    replayMs
  }: { folder: string; record: string; thread: LongThread; replayMs: number }
): Promise<void> {
  const fast: number[] = []
  for (let i = 0; i < RUNS; i++) fast.push(await fastSyncMs(HISTORY_EVENTS, folder))
  report({
    metric: 'fast_sync_ms',
    value: Math.round(median(fast)),
    unit: 'ms',
    n: RUNS,
    note: `a checkpoint over ${HISTORY_EVENTS} events in threads of ${EVENTS_PER_THREAD}, on disk`
  })
  report({
    metric: 'full_sync_ms',
    value: Math.round((replayMs * HISTORY_EVENTS) / EVENTS),
    unit: 'ms',
    n: RUNS,
    note: `replay_10k_ms for as many events: every signature, policy and certificate, ${EVENTS} a record`
  })
  const { cold, hot } = await coldBytes(thread, await readFile(record), folder)
  report({
    metric: 'bytes_per_event_cold',
    value: Math.round(cold / thread.items.length),
    unit: 'B',
    n: 1,
    note: `archive and log in a CAR; ${Math.round(hot / thread.items.length)} before`
  })
}

async function runCli(watch: string, args: readonly string[]): Promise<Run> {
  const command = ['--import', watch, BIN, 'audit', ...args, '--quiet']
  const { stderr } = await promisify(execFile)(process.execPath, command)
  return JSON.parse(stderr.slice(stderr.lastIndexOf('{'))) as Run
}

/** ms for so many signatures on as many threads as the command has; the threads are there before. */
async function bareMs(threads: readonly Worker[], count: number): Promise<number> {
  const ask = async (thread: Worker, share: number): Promise<void> => {
    thread.postMessage(share)
    const [good] = (await once(thread, 'message')) as [number]
    if (good !== share) throw new RangeError(`${good} of ${share} signatures are good`)
  }
  const share = Math.ceil(count / threads.length)
  const start = performance.now()
  await Promise.all(threads.map(thread => ask(thread, share)))
  return performance.now() - start
}

async function bareThreads(): Promise<readonly Worker[]> {
  const threads = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL('bare-verify.ts', import.meta.url))
  )
  await bareMs(threads, threads.length)
  return threads
}
