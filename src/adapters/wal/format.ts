import { crc32 } from 'node:zlib'
import { assert, utf8 } from '../../core/base/index.ts'

/**
 * The bytes of the file, all integers little-endian:
 *
 *     file   = magic "CSWARMWL" (8) | version u32 | salt (8) | crc32 of the 20 bytes before it | record*
 *     record = payload length u32 | crc32 of (salt, offset, length) | crc32 of payload, seeded with the one before | payload
 *     mark   = 0 u32 | crc32 of (salt, offset, 0) | the one before, inverted
 *
 * A mark stands among the records and says: all before it was on the disk when it was written. Pages that wait for an fsync reach the disk in any
 * order, so a bad record with good ones behind it may be what a lost power left. One before a mark is damage.
 *
 * Salt and offset go into every checksum, so that bytes which a stranger placed inside a payload, or which an earlier
 * journal left on the disk, never look like a record. The length has its own checksum: a search for records after a
 * damaged one then costs time proportional to the file, whatever the damaged bytes claim.
 */
export const FORMAT_VERSION = 2
/** The format without marks, which is read and appended to until the journal is written anew. */
const UNMARKED_VERSION = 1
export const FILE_HEADER_SIZE = 24
export const RECORD_HEADER_SIZE = 12
export const MARK_SIZE = 12
export const SALT_SIZE = 8
/** Bytes of one payload. Far above any record of ours; keeps a damaged length from asking for all memory. */
export const RECORD_BYTES_MAX: number = 64 * 1024 * 1024

const MAGIC = utf8('CSWARMWL')

/** The first bytes of a new file. */
export function fileHeader(salt: Uint8Array): Uint8Array {
  assert(salt.length === SALT_SIZE, 'the salt has its size')
  const bytes = new Uint8Array(FILE_HEADER_SIZE)
  const view = viewOf(bytes)
  bytes.set(MAGIC)
  view.setUint32(8, FORMAT_VERSION, true)
  bytes.set(salt, 12)
  view.setUint32(20, crc32(bytes.subarray(0, 20)), true)
  return bytes
}

/** What the first bytes of a file say. Every format keeps magic, version and checksum where they are. */
export type HeaderReading =
  | { readonly kind: 'ok'; readonly salt: Uint8Array; readonly hasMarks: boolean }
  | { readonly kind: 'version'; readonly found: number }
  | { readonly kind: 'bad'; readonly what: string }

/** Reads a file header. */
export function readFileHeader(bytes: Uint8Array): HeaderReading {
  if (bytes.length < FILE_HEADER_SIZE)
    return { kind: 'bad', what: 'the file is shorter than its header' }
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
    return { kind: 'bad', what: 'this is not a journal of can-swarm' }
  }
  const view = viewOf(bytes)
  const isWhole = view.getUint32(20, true) === crc32(bytes.subarray(0, 20))
  if (!isWhole) return { kind: 'bad', what: 'the file header fails its checksum' }
  const version = view.getUint32(8, true)
  const hasMarks = version === FORMAT_VERSION
  if (!hasMarks && version !== UNMARKED_VERSION) return { kind: 'version', found: version }
  return { kind: 'ok', salt: bytes.slice(12, 12 + SALT_SIZE), hasMarks }
}

/** Writes the record of a payload into `target` at `at`; `offset` is its place in the file. Returns its size. */
export function writeRecord(
  target: Uint8Array,
  at: number,
  record: { readonly salt: Uint8Array; readonly offset: number; readonly payload: Uint8Array }
): number {
  const { salt, offset, payload } = record
  assert(
    payload.length > 0 && payload.length <= RECORD_BYTES_MAX,
    'a record has 1 byte to RECORD_BYTES_MAX'
  )
  const view = viewOf(target)
  const check = headerCheck(salt, offset, payload.length)
  view.setUint32(at, payload.length, true)
  view.setUint32(at + 4, check, true)
  view.setUint32(at + 8, crc32(payload, check), true)
  target.set(payload, at + RECORD_HEADER_SIZE)
  return RECORD_HEADER_SIZE + payload.length
}

/** Writes a mark into `target` at `at`; `offset` is its place in the file. Returns its size. */
export function writeMark(
  target: Uint8Array,
  at: number,
  { salt, offset }: { readonly salt: Uint8Array; readonly offset: number }
): number {
  const view = viewOf(target)
  const check = headerCheck(salt, offset, 0)
  view.setUint32(at, 0, true)
  view.setUint32(at + 4, check, true)
  view.setUint32(at + 8, ~check, true)
  return MARK_SIZE
}

/** Whether a mark is there. `bytes` start at it and hold at least its size. */
export function isMark(bytes: Uint8Array, salt: Uint8Array, offset: number): boolean {
  const view = viewOf(bytes)
  if (view.getUint32(0, true) !== 0) return false
  const check = view.getUint32(4, true)
  return view.getUint32(8, true) === ~check >>> 0 && check === headerCheck(salt, offset, 0)
}

/** A record header that holds together, or undefined. `bytes` start at the header and hold at least its size. */
export function readRecordHeader(
  bytes: Uint8Array,
  salt: Uint8Array,
  offset: number
): { readonly length: number; readonly isPayload: (payload: Uint8Array) => boolean } | undefined {
  const view = viewOf(bytes)
  const length = view.getUint32(0, true)
  if (length === 0 || length > RECORD_BYTES_MAX) return undefined
  const check = view.getUint32(4, true)
  if (check !== headerCheck(salt, offset, length)) return undefined
  const expected = view.getUint32(8, true)
  return { length, isPayload: payload => crc32(payload, check) === expected }
}

const scratch = new Uint8Array(SALT_SIZE + 12)
const scratchView = viewOf(scratch)

function headerCheck(salt: Uint8Array, offset: number, length: number): number {
  scratch.set(salt)
  scratchView.setBigUint64(SALT_SIZE, BigInt(offset), true)
  scratchView.setUint32(SALT_SIZE + 8, length, true)
  return crc32(scratch)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
