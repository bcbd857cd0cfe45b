import { concat, toHex } from '../../core/base/index.ts'
import { Bloom } from './bloom.ts'
import { ByteCursor, leb128 } from './byte-cursor.ts'
import {
  BLOOM_BYTES_MAX,
  CAPABILITIES_BYTES_MAX,
  CHANGE_BYTES_MAX,
  HASHES_MAX,
  HAVES_MAX,
  MESSAGE_CHANGES_MAX,
  SYNC_MESSAGE_BYTES_MAX
} from './limits.ts'

/** What a node has since a state that both sides had. */
export type Have = { readonly lastSync: readonly string[]; readonly bloom: Bloom }

/** A message of Automerge's sync protocol in its first version. Hashes are hex. */
export type SyncMessage = {
  readonly heads: readonly string[]
  /** Hashes that the sender asks for. */
  readonly need: readonly string[]
  readonly have: readonly Have[]
  /** Chunks, whatever is in them. */
  readonly changes: readonly Uint8Array[]
}

/** First byte of a message of version 1. Version 2 carries whole compressed documents and is never spoken. */
const TYPE_SYNC = 0x42
const HASH_SIZE = 32

/** Null for bytes that are no message within the limits. Costs no more than reading the bytes once. */
export function decodeSyncMessage(bytes: Uint8Array): SyncMessage | null {
  if (bytes.length > SYNC_MESSAGE_BYTES_MAX) return null
  const cursor = new ByteCursor(bytes)
  if (!cursor.expect([TYPE_SYNC])) return null
  const heads = readHashes(cursor)
  const need = heads && readHashes(cursor)
  const have = need && readList(cursor, HAVES_MAX, readHave)
  const changes =
    have && readList(cursor, MESSAGE_CHANGES_MAX, () => readBytes(cursor, CHANGE_BYTES_MAX))
  // Automerge adds which versions it speaks; the answer is the same.
  if (changes === null || cursor.left > CAPABILITIES_BYTES_MAX) return null
  return { heads, need, have, changes } as SyncMessage
}

export function encodeSyncMessage({ heads, need, have, changes }: SyncMessage): Uint8Array {
  const parts: Uint8Array[] = [
    Uint8Array.of(TYPE_SYNC),
    ...hashes(heads),
    ...hashes(need),
    number(have.length)
  ]
  for (const { lastSync, bloom } of have) {
    const bits = bloom.encode()
    parts.push(...hashes(lastSync), number(bits.length), bits)
  }
  parts.push(number(changes.length))
  for (const change of changes) parts.push(number(change.length), change)
  return concat(parts)
}

function readHave(cursor: ByteCursor): Have | null {
  const lastSync = readHashes(cursor)
  const bits = lastSync && readBytes(cursor, BLOOM_BYTES_MAX)
  const bloom = bits && Bloom.decode(bits)
  return lastSync && bloom && { lastSync, bloom }
}

function readHashes(cursor: ByteCursor): string[] | null {
  return readList(cursor, HASHES_MAX, () => {
    const bytes = cursor.take(HASH_SIZE)
    return bytes && toHex(bytes)
  })
}

function readBytes(cursor: ByteCursor, max: number): Uint8Array | null {
  const size = cursor.number(max)
  return size === null ? null : cursor.take(size)
}

function readList<T>(
  cursor: ByteCursor,
  max: number,
  read: (cursor: ByteCursor) => T | null
): T[] | null {
  const count = cursor.number(max)
  // Each item has a byte at least: a count alone reserves nothing.
  if (count === null || count > cursor.left) return null
  const items: T[] = []
  for (let at = 0; at < count; at++) {
    const item = read(cursor)
    if (item === null) return null
    items.push(item)
  }
  return items
}

function hashes(list: readonly string[]): Uint8Array[] {
  return [number(list.length), ...list.map(hash => Buffer.from(hash, 'hex'))]
}

function number(value: number): Uint8Array {
  return Uint8Array.from(leb128(value))
}
