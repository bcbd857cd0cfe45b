import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import * as v from 'valibot'
import { equals } from '../core/base/index.ts'
import { CID, cidOf, decodeStrict, encode, hash } from '../core/codec/index.ts'
import type { ArchiveEntry } from '../ports/index.ts'

/** Names the shape and its version; a reader refuses any other. */
const THREAD_FORMAT = 'can-swarm/cold-thread/v1'
/** Multicodec code of plain bytes. */
const RAW = 0x55
/** Bytes of one block before it is compressed: what other programs pass on in one piece. A single record may be larger. */
export const PART_BYTES: number = 1024 * 1024
/** Bytes that one block may have when it is open again: parts are far below. */
const PART_BYTES_MAX: number = 64 * PART_BYTES

const pack = promisify(gzip)
const unpack = promisify(gunzip)

const bytes = v.custom<Uint8Array>(value => value instanceof Uint8Array, 'must be bytes')
const links = v.array(v.custom<CID>(value => CID.asCID(value) !== null, 'must be a link'))
const schema = v.strictObject({
  format: v.literal(THREAD_FORMAT),
  thread: v.string(),
  openedAt: v.pipe(v.number(), v.safeInteger()),
  summary: bytes,
  /** Blocks of gzip over a canonical list of records. */
  records: links,
  /** Files of the audit folder: their blocks, one after the other, are a gzip file. */
  logs: v.array(v.strictObject({ name: v.string(), parts: links }))
})
const recordsSchema = v.array(bytes)

/** A file that goes with a thread. */
export type NamedFile = { readonly name: string; readonly bytes: Uint8Array }

/** A thread as it lies in a cold file. */
export type ColdThread = ArchiveEntry & { readonly logs: readonly NamedFile[] }

export type Block = { readonly cid: CID; readonly bytes: Uint8Array }

/** The blocks of a thread, the one that names the others first. */
export async function toBlocks(thread: ColdThread): Promise<readonly [Block, ...Block[]]> {
  const parts: Block[] = []
  const add = async (part: Uint8Array): Promise<CID> => {
    const packed = new Uint8Array(await pack(part))
    const cid = cidOf(packed, RAW)
    parts.push({ cid, bytes: packed })
    return cid
  }
  const records: CID[] = []
  for (const part of recordParts(thread.records)) records.push(await add(encode(part)))
  const logs: { name: string; parts: CID[] }[] = []
  for (const { name, bytes: content } of thread.logs) {
    const own: CID[] = []
    for (let at = 0; at < content.length; at += PART_BYTES)
      own.push(await add(content.subarray(at, at + PART_BYTES)))
    logs.push({ name, parts: own })
  }
  const { thread: id, openedAt, summary } = thread
  const root = encode({
    format: THREAD_FORMAT,
    thread: id,
    openedAt,
    summary: new Uint8Array(summary),
    records,
    logs
  })
  return [{ cid: cidOf(root), bytes: root }, ...parts]
}

/** The thread of these blocks; throws with what is wrong with them. */
export async function fromBlocks(root: CID, blocks: readonly Block[]): Promise<ColdThread> {
  const byCid = new Map<string, Uint8Array>()
  for (const block of blocks) {
    if (!equals(hash(block.bytes), block.cid.multihash.digest))
      throw new RangeError(`the block ${block.cid} does not fit its hash`)
    byCid.set(block.cid.toString(), block.bytes)
  }
  const of = (cid: CID): Uint8Array => {
    const found = byCid.get(cid.toString())
    if (found === undefined) throw new RangeError(`the block ${cid} is missing`)
    return found
  }
  const { thread, openedAt, summary, ...parts } = decoded(schema, of(root))
  const open = async (cid: CID): Promise<Uint8Array> =>
    new Uint8Array(await unpack(of(cid), { maxOutputLength: PART_BYTES_MAX }))
  const records: Uint8Array[] = []
  for (const cid of parts.records) records.push(...decoded(recordsSchema, await open(cid)))
  const logs: NamedFile[] = []
  for (const { name, parts: own } of parts.logs)
    logs.push({ name, bytes: new Uint8Array(Buffer.concat(await Promise.all(own.map(open)))) })
  return { thread, openedAt, summary, records, logs }
}

/** The id of the thread whose first block this is; null for another block. */
export function threadOf(block: Uint8Array): string | null {
  const value = decodeStrict(block)
  const parsed = value.ok ? v.safeParse(schema, value.value) : null
  return parsed?.success === true ? parsed.output.thread : null
}

function* recordParts(records: readonly Uint8Array[]): Iterable<Uint8Array[]> {
  let part: Uint8Array[] = []
  let size = 0
  for (const record of records) {
    part.push(new Uint8Array(record))
    size += record.length
    if (size < PART_BYTES) continue
    yield part
    part = []
    size = 0
  }
  if (part.length > 0) yield part
}

function decoded<T>(shape: v.GenericSchema<unknown, T>, encoded: Uint8Array): T {
  const value = decodeStrict(encoded)
  if (!value.ok) throw new RangeError(value.refusal.message)
  const parsed = v.safeParse(shape, value.value)
  if (!parsed.success) throw new RangeError(v.summarize(parsed.issues))
  return parsed.output
}
