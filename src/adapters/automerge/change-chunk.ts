import { hash } from 'node:crypto'
import { assert, equals, toHex, utf8 } from '../../core/base/index.ts'
import { idFromDigest, taggedHash } from '../../core/codec/index.ts'
import { ByteCursor, leb128 } from './byte-cursor.ts'
import { CHANGE_BYTES_MAX } from './limits.ts'

/**
 * The Automerge changes of a plan (SYNC-2, SYNC-3): one that makes the document, and one for each planned envelope. Each is a function of names and
 * of the change before it, so this program writes them itself, in the one form that Automerge writes them, and compares with its own
 * what others send. It never reads a change of any other form.
 */

/** An Automerge change and its name. */
export type Change = {
  readonly hash: string
  readonly dep: string | null
  readonly bytes: Uint8Array
}

/** Maps under the root. A plan of 20,000 envelopes has some 300 in each: what a change costs grows with the map that it touches. */
export const BUCKETS = 64

const MAGIC = Uint8Array.of(0x85, 0x6f, 0x4a, 0x83)
/** Bytes of magic and checksum, which the hash does not cover. */
const UNHASHED_SIZE = 8
/** A chunk that is a change, not compressed. */
const TYPE_CHANGE = 1
const HASH_SIZE = 32
const ACTOR_SIZE = 32
const ACTOR_TAG = 'can-swarm/plan-actor/v1'
const GENESIS_TAG = 'can-swarm/plan-genesis/v1'

/** Who writes an envelope's change: for a chain its sender's session, else the envelope itself. 32 bytes. */
export function chainActor(thread: string, sender: string, session: number): Uint8Array {
  return taggedHash(ACTOR_TAG, [thread, sender, session])
}

export function envelopeActor(thread: string, envelope: string): Uint8Array {
  return taggedHash(ACTOR_TAG, [thread, envelope])
}

/** The first change of a thread's document: it makes the maps `00` to `3f`, and is the same on every node. */
export function genesisChange(thread: string): Change & { readonly actor: Uint8Array } {
  const actor = taggedHash(GENESIS_TAG, [thread])
  const names = Array.from({ length: BUCKETS }, (_, bucket) => [2, ...utf8(nameOf(bucket))]).flat()
  const keys = [...signed(-BUCKETS), ...names]
  // Columns: key, insert, action, predecessors; 0 is `makeMap`.
  const columns: [number, number[]][] = [
    [0x15, keys],
    [0x34, leb128(BUCKETS)],
    [0x42, [...signed(BUCKETS), 0]],
    [0x56, [...signed(BUCKETS), 0]],
    [0x70, [...signed(BUCKETS), 0]]
  ]
  const body = [
    0,
    ACTOR_SIZE,
    ...actor,
    1,
    1,
    0,
    0,
    0,
    columns.length,
    ...columns.flatMap(([id, data]) => [id, ...leb128(data.length)]),
    ...columns.flatMap(([, data]) => data)
  ]
  return { ...chunk([body], null), actor }
}

/** Where an envelope's change stands and what it writes. */
export type PlanChangeInit = {
  readonly genesisActor: Uint8Array
  readonly actor: Uint8Array
  /** Position among the changes of the actor, from 1. */
  readonly seq: number
  /** Hash of the one change that it rests on, hex. */
  readonly dep: string
  /** The complete signed bytes. */
  readonly envelope: Uint8Array
}

/** The change of an envelope: it puts the envelope's bytes under its id, in the map that the last byte of its digest chooses. */
export function planChange(init: PlanChangeInit): Change {
  const { genesisActor, actor, seq, dep, envelope } = init
  const digest = hash('sha256', envelope, 'buffer')
  const key = utf8(idFromDigest(digest))
  const bucket = (digest[HASH_SIZE - 1] as number) % BUCKETS
  const valueSize = [0x7f, ...leb128(envelope.length * 16 + 7)]
  const parts = [
    [1],
    bytesOfHash(dep),
    [ACTOR_SIZE],
    actor,
    // Operations are counted from those that made the maps.
    [...leb128(seq), ...leb128(BUCKETS + seq), 0, 0, 1, ACTOR_SIZE],
    genesisActor,
    // Columns and their sizes: object's actor and counter, key, insert, action, size and bytes of the value, predecessors.
    [8, 0x01, 2, 0x02, 2, 0x15, key.length + 2, 0x34, 1, 0x42, 2],
    [0x56, valueSize.length, 0x57, ...leb128(envelope.length), 0x70, 2],
    [0x7f, 1, 0x7f, bucket + 1, 0x7f, key.length],
    key,
    [1, 0x7f, 1, ...valueSize],
    envelope,
    [0x7f, 0]
  ]
  return chunk(parts, dep)
}

/** What a change that comes from outside says of itself. Its bytes are still to be compared with `planChange`. */
export type ReadChange = {
  readonly hash: string
  readonly dep: string
  readonly envelope: Uint8Array
}

/** The envelope inside a change of the form that `planChange` writes; null for anything else, compressed chunks among it. */
export function readChange(bytes: Uint8Array): ReadChange | null {
  if (bytes.length > CHANGE_BYTES_MAX) return null
  const cursor = new ByteCursor(bytes)
  if (!cursor.expect(MAGIC)) return null
  const checksum = cursor.take(4)
  if (checksum === null || !cursor.expect([TYPE_CHANGE])) return null
  const size = cursor.number(CHANGE_BYTES_MAX)
  if (size === null || size !== cursor.left || !cursor.expect([1])) return null
  const dep = cursor.take(HASH_SIZE)
  if (dep === null || !cursor.expect([ACTOR_SIZE]) || cursor.take(ACTOR_SIZE) === null) return null
  const envelope = readEnvelope(cursor)
  const digest = hash('sha256', bytes.subarray(UNHASHED_SIZE), 'buffer')
  if (envelope === null || !equals(digest.subarray(0, 4), checksum)) return null
  return { hash: toHex(digest), dep: toHex(dep), envelope }
}

/** From the sequence number to the end. */
function readEnvelope(cursor: ByteCursor): Uint8Array | null {
  const hasPlace = cursor.number(CHANGE_BYTES_MAX) !== null && cursor.number(2 ** 32) !== null
  if (!hasPlace || !cursor.expect([0, 0, 1, ACTOR_SIZE])) return null
  if (cursor.take(ACTOR_SIZE) === null || !cursor.expect([8, 1, 2, 2, 2, 0x15])) return null
  const keySize = cursor.number(127)
  if (keySize === null || !cursor.expect([0x34, 1, 0x42, 2, 0x56])) return null
  const valueSizeSize = cursor.number(5)
  if (valueSizeSize === null || !cursor.expect([0x57])) return null
  const size = cursor.number(CHANGE_BYTES_MAX)
  if (size === null || !cursor.expect([0x70, 2])) return null
  // The small columns are not read: the comparison covers them.
  if (cursor.take(4 + keySize + 3 + valueSizeSize) === null) return null
  const envelope = cursor.take(size)
  return cursor.left === 2 ? envelope : null
}

/** A chunk around a change's body, with its checksum. */
function chunk(parts: readonly (Uint8Array | readonly number[])[], dep: string | null): Change {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  const head = [TYPE_CHANGE, ...leb128(size)]
  const bytes = new Uint8Array(UNHASHED_SIZE + head.length + size)
  let at = UNHASHED_SIZE
  for (const part of [head, ...parts]) {
    bytes.set(part, at)
    at += part.length
  }
  const digest = hash('sha256', bytes.subarray(UNHASHED_SIZE), 'buffer')
  bytes.set(MAGIC)
  bytes.set(digest.subarray(0, 4), MAGIC.length)
  return { hash: toHex(digest), dep, bytes }
}

function nameOf(bucket: number): string {
  return bucket.toString(16).padStart(2, '0')
}

/** Signed LEB128, as run lengths are written. */
function signed(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const digit = rest & 127
    rest >>= 7
    const isLast = (rest === 0 && digit < 64) || (rest === -1 && digit >= 64)
    bytes.push(isLast ? digit : digit | 128)
    if (isLast) return bytes
  }
}

function bytesOfHash(hex: string): Uint8Array {
  const bytes = Buffer.from(hex, 'hex')
  assert(bytes.length === HASH_SIZE, 'a change is named by a SHA-256')
  return bytes
}
