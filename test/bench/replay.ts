/**
 * Bench `replay`: a thread of 10,000 events, with real signatures and policies, verified and replayed by the program as a user runs it, and
 * beside it what that many signatures alone take.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { nodeSigner, nodeVerifier } from '../../src/adapters/ed25519/index.ts'
import { writeRecord } from '../../src/replay/index.ts'
import { longThread } from '../support/long-thread.ts'
import { realPolicy } from '../support/real-policy.ts'
import { type Bench, median } from './bench.ts'

const EVENTS = 10_000
const RUNS = 5
/** Bytes under one signature: those of an ordinary envelope. */
const SIGNED_BYTES = 550
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
      const bare: number[] = []
      // In turns, so that all meet the same machine.
      for (let i = 0; i < RUNS; i++) {
        replays.push(await run('replay'))
        verifies.push(await run('verify'))
        bare.push(bareMs(events))
      }
      const note = `${events} events, the whole command, its start included`
      const ms = (runs: readonly Run[]): number => median(runs.map(one => one.ms))
      report({ metric: 'replay_10k_ms', value: Math.round(ms(replays)), unit: 'ms', n: RUNS, note })
      const rss = Math.max(...replays.map(one => one.rssMb))
      report({ metric: 'replay_rss_mb', value: Math.round(rss), unit: 'MB', n: RUNS, note: 'most' })
      const perSecond = Math.round((events / ms(verifies)) * 1000)
      report({ metric: 'verify_per_second', value: perSecond, unit: '1/s', n: RUNS, note })
      report({
        metric: 'bare_verify_per_second',
        value: Math.round((events / median(bare)) * 1000),
        unit: '1/s',
        n: RUNS,
        note: 'as many Ed25519 verifications by node:crypto, one thread'
      })
      const { size } = await stat(record)
      report({
        metric: 'bytes_per_event_hot',
        value: Math.round(size / events),
        unit: 'B',
        n: 1,
        note: 'in the audit folder'
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function runCli(watch: string, args: readonly string[]): Promise<Run> {
  const command = ['--import', watch, BIN, 'audit', ...args, '--quiet']
  const { stderr } = await promisify(execFile)(process.execPath, command)
  return JSON.parse(stderr.slice(stderr.lastIndexOf('{'))) as Run
}

function bareMs(count: number): number {
  const signer = nodeSigner(new Uint8Array(32).fill(1))
  const verify = nodeVerifier()
  const bytes = new Uint8Array(SIGNED_BYTES)
  const sig = signer.sign(bytes)
  // The key is examined once; a thread has few of them.
  verify(signer.did, bytes, sig)
  const start = performance.now()
  for (let i = 0; i < count; i++) verify(signer.did, bytes, sig)
  return performance.now() - start
}
