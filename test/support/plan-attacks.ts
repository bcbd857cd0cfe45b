/** What a hostile peer may send in plan sync: frames for one thread. */
import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { Bloom } from '../../src/adapters/automerge/bloom.ts'
import { leb128 } from '../../src/adapters/automerge/byte-cursor.ts'
import {
  BUCKETS,
  chainActor,
  genesisChange,
  planChange
} from '../../src/adapters/automerge/change-chunk.ts'
import { encodeSyncMessage } from '../../src/adapters/automerge/sync-message.ts'
import { concat } from '../../src/core/base/index.ts'
import type { Admitted } from '../../src/core/envelope/index.ts'
import { encodePlanFrame } from '../../src/runtime/plan-frame.ts'

const RANDOM_HASH = (at: number): string => createHash('sha256').update(`hash ${at}`).digest('hex')

/** A frame of a message with these changes. */
export function frameOf(
  thread: string,
  changes: readonly Uint8Array[],
  heads?: string[]
): Uint8Array {
  const have = [{ lastSync: [], bloom: Bloom.of([]) }]
  const message = encodeSyncMessage({ heads: heads ?? [RANDOM_HASH(0)], need: [], have, changes })
  return encodePlanFrame({ thread, message }) as Uint8Array
}

/** The change of an update as an honest node makes it; with another actor, position or ground where one is given. */
export function changeOf(
  thread: string,
  update: Admitted<'UPDATE_PLAN'>,
  other: { readonly actor?: Uint8Array; readonly seq?: number; readonly dep?: string } = {}
): Uint8Array {
  const genesis = genesisChange(thread)
  const { sender, payload } = update.envelope
  return planChange({
    genesisActor: genesis.actor,
    actor: other.actor ?? chainActor(thread, sender, payload.session),
    seq: other.seq ?? payload.seq,
    dep: other.dep ?? genesis.hash,
    envelope: update.bytes
  }).bytes
}

/** A chunk of any type around any body, with a checksum that holds. */
export function chunkOf(type: number, body: Uint8Array): Uint8Array {
  const hashed = concat([Uint8Array.from([type, ...leb128(body.length)]), body])
  const sum = createHash('sha256').update(hashed).digest().subarray(0, 4)
  return concat([Uint8Array.of(0x85, 0x6f, 0x4a, 0x83), sum, hashed])
}

/** A compressed change of some 3 KB that unpacks to 3 MB. */
export function bombChunk(): Uint8Array {
  return chunkOf(2, deflateRawSync(new Uint8Array(3_000_000)))
}

/**
 * A change of some 200 bytes, not compressed, that Automerge takes and that claims so many operations: in each of its columns one value that
 * is repeated.
 */
export function operationsChunk(thread: string, operations: number): Uint8Array {
  const genesis = genesisChange(thread)
  const run = positive(operations)
  const none = leb128(operations)
  // Object's actor and counter, key, insert, action, size of the value (0 is `null`), predecessors.
  const columns: [number, number[]][] = [
    [0x01, [...run, 1]],
    [0x02, [...run, 1]],
    [0x15, [...run, 1, 0x78]],
    [0x34, none],
    [0x42, [...run, 1]],
    [0x56, [...run, 0]],
    [0x70, [...run, 0]]
  ]
  const body = [
    ...[1, ...Buffer.from(genesis.hash, 'hex')],
    ...[32, ...new Uint8Array(32).fill(9), 1, BUCKETS + 1, 0, 0],
    ...[1, 32, ...genesis.actor],
    columns.length,
    ...columns.flatMap(([id, data]) => [id, ...leb128(data.length)]),
    ...columns.flatMap(([, data]) => data)
  ]
  return chunkOf(1, Uint8Array.from(body))
}

/** A signed LEB128 number above zero. */
function positive(value: number): number[] {
  const digits = leb128(value)
  const last = digits.at(-1) as number
  return last < 64 ? digits : [...digits.slice(0, -1), last + 128, 0]
}

/** A change by an actor of 4,000 bytes. */
export function longActorChunk(): Uint8Array {
  const genesis = Buffer.from(RANDOM_HASH(1), 'hex')
  const actor = new Uint8Array(4_000).fill(9)
  return chunkOf(1, Uint8Array.from([1, ...genesis, ...leb128(4_000), ...actor, 1, 65, 0, 0, 0, 0]))
}

/** Changes of updates that rest on changes which nobody has. */
export function orphanFrames(
  thread: string,
  updates: readonly Admitted<'UPDATE_PLAN'>[],
  perFrame: number
): Uint8Array[] {
  const changes = updates.map((update, at) => changeOf(thread, update, { dep: RANDOM_HASH(at) }))
  return framesOf(thread, changes, perFrame)
}

/** A chain of one sender's updates, as changes, and for each place of it another update there, those of the last places first. */
export type ForkedChain = { readonly chain: Uint8Array[]; readonly rivals: Uint8Array[] }

export function forkedChain(
  thread: string,
  updates: readonly Admitted<'UPDATE_PLAN'>[],
  rivals: readonly Admitted<'UPDATE_PLAN'>[]
): ForkedChain {
  const grounds = [genesisChange(thread).hash]
  const chain = updates.map((update, at) => {
    const change = changeOf(thread, update, { dep: grounds[at] as string })
    grounds.push(createHash('sha256').update(change.subarray(8)).digest('hex'))
    return change
  })
  const at = (rival: Admitted<'UPDATE_PLAN'>): string =>
    grounds[rival.envelope.payload.seq - 1] as string
  return { chain, rivals: rivals.map(rival => changeOf(thread, rival, { dep: at(rival) })) }
}

/** Frames of so many changes each. */
export function framesOf(
  thread: string,
  changes: readonly Uint8Array[],
  perFrame: number
): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < changes.length; at += perFrame)
    frames.push(frameOf(thread, changes.slice(at, at + perFrame)))
  return frames
}

/** A message as large as one may be that asks for as much work as one can. */
export function heaviestFrame(thread: string): Uint8Array {
  const hashes = (count: number, from: number): string[] =>
    Array.from({ length: count }, (_, at) => RANDOM_HASH(from + at))
  const message = encodeSyncMessage({
    heads: hashes(14_000, 0),
    need: hashes(14_000, 20_000),
    have: [{ lastSync: [], bloom: Bloom.of(hashes(60_000, 40_000)) }],
    changes: []
  })
  return encodePlanFrame({ thread, message }) as Uint8Array
}
