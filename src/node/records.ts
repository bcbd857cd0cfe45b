import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openKeystore } from '../adapters/keystore/index.ts'
import { openSealed, sealKeys, sealTo } from '../adapters/sealed/index.ts'
import { type Config, readPassphrase } from '../config/index.ts'
import type { CID } from '../core/codec/index.ts'
import { type Admitted, parseEnvelope } from '../core/envelope/index.ts'
import { decodeEntry } from '../core/need/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import {
  AuditLog,
  endLogs,
  type LogSource,
  requireNew,
  writeNewFile,
  writeNewRecord,
  writeRecord
} from '../replay/index.ts'
import type { NodeParts } from './node-parts.ts'
import { secondKeyOf } from './second-key.ts'

export type ExportOptions = {
  readonly thread: string
  /** A new file; without one the record goes to the home's records folder, where it replaces an earlier one. */
  readonly path?: string | undefined
  /** Writes the thread's artifacts beside the record, as `<path>.car`. */
  readonly artifacts?: boolean | undefined
  /** DID of the only one who may read it. */
  readonly recipient?: string | undefined
  /** Seals by X25519 alone, whatever second key the reader offers. */
  readonly classical?: boolean | undefined
}

export type Exported = {
  readonly path: string
  readonly lines: number
  readonly complete: boolean
  /** Capsules that the record brings along. */
  readonly capsules: number
  /** File of the artifacts, and what they were. */
  readonly car: string | null
  readonly artifacts: readonly string[]
  /** Whether it was sealed by ML-KEM-768 too, or by X25519 alone; null when it was not sealed. */
  readonly hybrid: boolean | null
}

/** Writes a thread's record, with the capsules that it takes to replay it. */
export async function exportRecord(parts: NodeParts, options: ExportOptions): Promise<Exported> {
  const { thread } = options
  const record = await parts.threads.record(thread)
  const path = options.path ?? join(parts.config.home.dir, 'records', `${thread}.jsonl`)
  const car = options.artifacts === true ? `${path}.car` : null
  if (car !== null) await requireNew(car)
  const capsules = await capsulesOf(parts, record.items)
  const { baseCapsule: base, engine } = parts.policy
  const whole = { thread, base, engine, blocks: capsules.blocks, ...record }
  const { recipient } = options
  const artifacts = car === null ? [] : artifactsOf(record.items)
  const written = { complete: record.complete, capsules: capsules.count, car, artifacts }
  if (recipient === undefined) {
    const write = options.path === undefined ? writeRecord : writeNewRecord
    const lines = await write(path, whole, parts.signer)
    if (car !== null) await parts.artifacts.exportCar(artifacts, car)
    return { path, lines, ...written, hybrid: null }
  }
  const kem = options.classical === true ? null : await secondKeyOf(parts, recipient)
  const to = { did: recipient, kem }
  const folder = await mkdtemp(join(parts.config.home.dir, 'sealing-'))
  try {
    const open = join(folder, 'record')
    const lines = await writeRecord(open, whole, parts.signer)
    await writeNewFile(path, sealTo(to, createReadStream(open)))
    if (car !== null) {
      await parts.artifacts.exportCar(artifacts, join(folder, 'car'))
      await writeNewFile(car, sealTo(to, createReadStream(join(folder, 'car'))))
    }
    return { path, lines, ...written, hybrid: kem !== null }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Opens a file that was sealed to this home's key, into a new file. Needs no running node. */
export async function openSealedFile(config: Config, from: string, to: string): Promise<void> {
  const { seed } = await openKeystore({
    path: join(config.home.dir, 'key.json'),
    passphrase: await readPassphrase(config),
    create: false
  })
  await writeNewFile(to, openSealed(sealKeys(seed), createReadStream(from)))
}

/** Keeps the audit folder: the log of each thread, as things happen. Returns how to stop. */
export function keepRecords(parts: NodeParts): () => Promise<void> {
  const { config, policy, signer, swarm, logger, driver } = parts
  if (config.node.unplug.includes('audit')) return async () => undefined
  const init = {
    directory: join(config.home.dir, 'audit'),
    signer,
    logger,
    base: policy.baseCapsule,
    engine: policy.engine,
    rotateBytes: config.history.logBytes
  }
  const log = new AuditLog({ ...init, source: swarm })
  // Their logs are kept by the one above, also when they leave memory while the others are looked at.
  const here = new Set(swarm.threadIds())
  log.start(here)
  const leave = driver.onEvent(event => log.onEvent(event))
  const stopping = new AbortController()
  const over = async (thread: string): Promise<LogSource | null> =>
    here.has(thread) ? null : overAt(parts, thread)
  const ending = endLogs({ ...init, over, signal: stopping.signal }).catch((error: unknown) =>
    logger.error('the logs of archived threads could not be looked at', { error: String(error) })
  )
  return async () => {
    leave()
    stopping.abort()
    await ending
    await log.stop()
  }
}

/** The archived thread, for its log; null for one that goes on, and one of which there is nothing, or nothing legible, here. */
async function overAt(
  { swarm, threads, logger }: Pick<NodeParts, 'swarm' | 'threads' | 'logger'>,
  thread: string
): Promise<LogSource | null> {
  if (swarm.has(thread)) return null
  try {
    return await threads.holder(thread)
  } catch (error) {
    logger.debug('a log without an end is of no archived thread', { thread, error: String(error) })
    return null
  }
}

/** The base capsule, and the NEED's if it is another: what judged the thread. One that nobody has any more is left out. */
async function capsulesOf(
  parts: NodeParts,
  items: readonly RecordItem[]
): Promise<{ readonly blocks: Map<string, Uint8Array>; readonly count: number }> {
  const [need] = envelopesOf(items)
  const own = need?.envelope.verb === 'NEED' ? [String(need.envelope.payload.capsule)] : []
  const blocks = new Map<string, Uint8Array>()
  let count = 0
  for (const cid of new Set([parts.policy.baseCapsule, ...own])) {
    try {
      const { dag } = await parts.capsules.get(cid, { timeoutMs: CAPSULE_MS })
      for (const [name, bytes] of dag.blocks) blocks.set(name, bytes)
      count += 1
    } catch (error) {
      parts.logger.warn('a record is written without a capsule', { cid, error: String(error) })
    }
  }
  return { blocks, count }
}

/** How long an export waits for a block of the NEED's capsule, in ms: it was here when the thread was judged. */
const CAPSULE_MS = 2_000

/** What the thread worked on and what came of it. */
function artifactsOf(items: readonly RecordItem[]): string[] {
  const cids = envelopesOf(items).flatMap(({ envelope }): readonly CID[] => {
    if (envelope.verb === 'NEED') return envelope.payload.inputs
    return envelope.verb === 'COMMIT' ? envelope.payload.outputs : []
  })
  return [...new Set(cids.map(String))]
}

function envelopesOf(items: readonly RecordItem[]): Admitted[] {
  return items.flatMap(item => {
    const bytes = item.type === 'envelope' ? item.bytes : decodeEntry(item.entry.data)?.envelope
    const parsed = bytes == null ? null : parseEnvelope(bytes)
    return parsed?.ok === true ? [parsed.value] : []
  })
}
