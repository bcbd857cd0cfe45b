import { decodeStrict, encode, taggedHash } from '../codec/index.ts'
import { TAGS } from '../envelope/index.ts'

/** One committed log entry as this room sees it. Same shape as raft's, which this room does not import. */
export type CommittedEntry = {
  readonly term: number
  readonly index: number
  readonly data: Uint8Array
}

/** What one entry carries. */
export type EntryBody = {
  /** Log time in ms: stamped by the leader, strictly increasing along the log (R14). */
  readonly stamp: number
  /** A complete envelope, or null for a tick that only moves log time past a deadline. */
  readonly envelope: Uint8Array | null
}

/** Canonical bytes of an entry's body. */
export function encodeEntry(body: EntryBody): Uint8Array {
  return encode([body.stamp, body.envelope])
}

/** The body, its envelope a view of `data`, or null for a new leader's empty entry and for bytes that are no body. */
export function decodeEntry(data: Uint8Array): EntryBody | null {
  if (data.length === 0) return null
  const decoded = decodeStrict(data, true)
  if (!decoded.ok || !Array.isArray(decoded.value) || decoded.value.length !== 2) return null
  const [stamp, envelope] = decoded.value as unknown[]
  if (typeof stamp !== 'number' || stamp < 0) return null
  if (envelope !== null && !(envelope instanceof Uint8Array)) return null
  return { stamp, envelope }
}

/** Start of a log's hash chain. */
export const CHAIN_START: Uint8Array = new Uint8Array(32)

/** Extends the hash chain over the log by one entry. A digest that is voted on covers the chain, and so the whole record. */
export function chainHash(previous: Uint8Array, entry: CommittedEntry): Uint8Array {
  return taggedHash(TAGS.entry, [previous, entry.term, entry.index, entry.data])
}
