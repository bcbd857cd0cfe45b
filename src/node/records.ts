import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openKeystore } from '../adapters/keystore/index.ts'
import { openSealed, sealKeys, sealTo } from '../adapters/sealed/index.ts'
import { type Config, readPassphrase } from '../config/index.ts'
import { CID } from '../core/codec/index.ts'
import { type Admitted, parseEnvelope } from '../core/envelope/index.ts'
import { decodeEntry } from '../core/need/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import { AuditLog, requireNew, writeNewFile, writeNewRecord, writeRecord } from '../replay/index.ts'
import type { NodeParts } from './node-parts.ts'

/** Beginning of the tag of a manifest that names a node's ML-KEM key: the CID of its bytes, which the node's artifact store has. */
export const KEM_TAG = 'mlkem768/'

export type ExportOptions = {
  readonly thread: string
  /** A new file; without one the record goes to the home's records folder, where it replaces an earlier one. */
  readonly path?: string | undefined
  /** Writes the thread's artifacts beside the record, as `<path>.car`. */
  readonly artifacts?: boolean | undefined
  /** DID of the only one who may read it. */
  readonly recipient?: string | undefined
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
    return { path, lines, ...written }
  }
  const to = { did: recipient, kem: await kemKeyOf(parts, recipient) }
  const folder = await mkdtemp(join(parts.config.home.dir, 'sealing-'))
  try {
    const open = join(folder, 'record')
    const lines = await writeRecord(open, whole, parts.signer)
    await writeNewFile(path, sealTo(to, createReadStream(open)))
    if (car !== null) {
      await parts.artifacts.exportCar(artifacts, join(folder, 'car'))
      await writeNewFile(car, sealTo(to, createReadStream(join(folder, 'car'))))
    }
    return { path, lines, ...written }
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
  const log = new AuditLog({
    directory: join(config.home.dir, 'audit'),
    source: swarm,
    signer,
    logger,
    base: policy.baseCapsule,
    engine: policy.engine,
    rotateBytes: config.history.logBytes
  })
  log.start(swarm.threadIds())
  const leave = driver.onEvent(event => log.onEvent(event))
  return async () => {
    leave()
    await log.stop()
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

/** The ML-KEM key that the recipient's manifest names, or null: then the file has X25519 alone. */
async function kemKeyOf(parts: NodeParts, recipient: string): Promise<Uint8Array | null> {
  const tags = parts.swarm.manifests().get(recipient)?.envelope.payload.tags ?? []
  const cid = tags.find(tag => tag.startsWith(KEM_TAG))?.slice(KEM_TAG.length)
  if (cid === undefined) return null
  try {
    return await parts.artifacts.getBlock(CID.parse(cid).toString(), { timeoutMs: KEM_MS })
  } catch (error) {
    parts.logger.warn("a recipient's ML-KEM key cannot be fetched: sealed by X25519 alone", {
      recipient,
      error: String(error)
    })
    return null
  }
}

/** How long an export waits for the recipient's second key, in ms. */
const KEM_MS = 5_000
