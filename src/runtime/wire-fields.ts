import * as v from 'valibot'
import { ENTRIES_PER_THREAD_MAX, EPOCHS_MAX, TEXT_LENGTH_MAX } from '../core/base/index.ts'
import type { HardState, LogEntry } from '../core/raft/index.ts'
import type { Phase, SealedEpoch } from '../core/swarm/index.ts'

/** Field schemas that journal records and peer messages share. */

/** Characters of a CID, a group id or a slot as text. */
const NAME_LENGTH_MAX = 256
/** Characters of a sentence for people. */
const SENTENCE_LENGTH_MAX = 4096

export const uint: v.GenericSchema<number> = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** A CID, a group id, a slot: compared as text, never trusted to be more. */
export const shortText: v.GenericSchema<string> = v.pipe(v.string(), v.maxLength(NAME_LENGTH_MAX))

/** A requester's slot: its DID, a slash, and a text field of a payload. */
export const slotName: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.maxLength(NAME_LENGTH_MAX + TEXT_LENGTH_MAX)
)

export const sentence: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.maxLength(SENTENCE_LENGTH_MAX)
)

export const bytes: v.GenericSchema<Uint8Array<ArrayBufferLike>> = v.custom<Uint8Array>(
  value => value instanceof Uint8Array,
  'must be bytes'
)

export const hash32: v.GenericSchema<Uint8Array<ArrayBufferLike>> = bytesOf(32)

export const stage: v.GenericSchema<'decide' | 'outcome'> = v.picklist(['decide', 'outcome'])

export const phase: v.GenericSchema<Phase> = v.picklist([
  'OPEN',
  'BIDDING',
  'DECIDED',
  'CLAIMED',
  'COMMITTED',
  'REVEALING',
  'VERIFIED',
  'FINAL',
  'INVALID',
  'EXPIRED'
])

/** Bytes of one exact length. */
export function bytesOf(length: number): v.GenericSchema<Uint8Array<ArrayBufferLike>> {
  return v.pipe(
    bytes,
    v.check(value => value.length === length, `must be ${length} bytes`)
  )
}

/** A bounded list. */
export function listOf<T>(
  item: v.GenericSchema<unknown, T> | v.GenericSchema<T>,
  max: number
): v.GenericSchema<T[]> {
  return v.pipe(
    v.array(item as v.GenericSchema<T>),
    v.maxLength(max, `must have at most ${max} items`)
  )
}

/** One consensus entry; `data` stays opaque. */
export const logEntries: v.GenericSchema<LogEntry[]> = listOf(
  v.strictObject({ term: uint, index: uint, data: bytes }),
  ENTRIES_PER_THREAD_MAX
)

export const hardState: v.GenericSchema<HardState> = v.strictObject({
  term: uint,
  vote: v.nullable(shortText),
  commit: uint
})

/** The names of a roster's candidates with their manifests. */
export function candidates(max: number): v.GenericSchema<{ did: string; manifest: string }[]> {
  return listOf(v.strictObject({ did: shortText, manifest: shortText }), max)
}

/** Members of one roster in a message or a record; the core knows the exact sizes. */
const ROSTER_MAX = 64

/** A roster: DIDs, in the order of the draw. */
export const roster: v.GenericSchema<string[]> = listOf(shortText, ROSTER_MAX)

/** What a member's SEAL shows: a decision, or nothing. */
export const sealFields = {
  digest: v.nullable(hash32),
  proposal: v.nullable(shortText)
} as const

/** The seals that a requester holds for the FORM that it is about to make. */
export const sealedEpochs: v.GenericSchema<SealedEpoch[]> = listOf(
  v.strictObject({
    epoch: uint,
    form: v.nullable(shortText),
    roster,
    seals: listOf(
      v.strictObject({ member: shortText, ...sealFields, sig: bytesOf(64) }),
      ROSTER_MAX
    )
  }),
  EPOCHS_MAX
)
