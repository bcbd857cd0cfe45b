import * as v from 'valibot'
import { assert, ok, type Result, refuse } from '../core/base/index.ts'
import { digestOfId, encode, idFromDigest } from '../core/codec/index.ts'
import { type SenderWindow, WINDOW_IDS_MAX } from '../core/envelope/index.ts'
import { bytes, shortText, uint } from './wire-fields.ts'

/** What the door remembers of one sender, in a compacted journal: the envelopes themselves may be gone from it (R20). */
export type SeenRecord = { readonly type: 'seen' } & SenderWindow

/**
 * Ids are packed, since there may be a hundred thousand of them at a start: the digest of the id (32 bytes), then lamport and `until`,
 * eight bytes each, the highest first.
 */
const ITEM_SIZE = 48
const schema = v.strictObject({
  type: v.literal('seen'),
  sender: shortText,
  floor: v.pipe(v.number(), v.safeInteger(), v.minValue(-1)),
  floorUntil: uint,
  ids: v.pipe(
    bytes,
    v.check(
      ({ length }) => length % ITEM_SIZE === 0 && length <= ITEM_SIZE * WINDOW_IDS_MAX,
      'not a whole number of ids, or too many'
    )
  )
})

/** Canonical DAG-CBOR of the record. */
export function encodeSeen({ ids, ...record }: SeenRecord): Uint8Array {
  const packed = new Uint8Array(ids.length * ITEM_SIZE)
  const view = new DataView(packed.buffer)
  for (const [index, { id, lamport, until }] of ids.entries()) {
    const at = index * ITEM_SIZE
    const digest = digestOfId(id)
    assert(digest !== null, 'an envelope has an id of the one form')
    packed.set(digest, at)
    view.setBigUint64(at + 32, BigInt(lamport))
    view.setBigUint64(at + 40, BigInt(until))
  }
  return encode({ ...record, ids: packed })
}

/** The record out of a decoded value. */
export function seenOf(value: unknown): Result<SeenRecord> {
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) return refuse('RECORD_UNKNOWN', v.summarize(parsed.issues))
  const { ids: packed, ...record } = parsed.output
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length)
  const ids: { id: string; lamport: number; until: number }[] = []
  for (let at = 0; at < packed.length; at += ITEM_SIZE) {
    const id = idFromDigest(packed.subarray(at, at + 32))
    const lamport = Number(view.getBigUint64(at + 32))
    const until = Number(view.getBigUint64(at + 40))
    if (!Number.isSafeInteger(lamport) || !Number.isSafeInteger(until))
      return refuse('RECORD_UNKNOWN', 'a number is too large')
    ids.push({ id, lamport, until })
  }
  return ok({ ...record, ids })
}
