import * as v from 'valibot'
import { assert, CANDIDATES_MAX, ok, type Result, refuse } from '../core/base/index.ts'
import { decodeStrict, encode } from '../core/codec/index.ts'
import { EVIDENCE_BYTES_MAX } from '../core/roster/index.ts'
import type { JournalRecord } from '../core/swarm/index.ts'
import { encodeSeen, type SeenRecord, seenOf } from './seen-codec.ts'
import {
  bytes,
  candidates,
  hardState,
  hash32,
  listOf,
  logEntries,
  phase,
  roster,
  sealedEpochs,
  sealFields,
  sentence,
  shortText,
  slotName,
  stage,
  uint
} from './wire-fields.ts'

/** Warnings of one archived thread. */
const WARNINGS_MAX = 64
/** Reasons of one verdict. */
const REASONS_MAX = 256

const schema = v.variant('type', [
  v.strictObject({ type: v.literal('envelope'), bytes, atMs: uint }),
  v.strictObject({
    type: v.literal('join'),
    thread: shortText,
    slot: slotName,
    epoch: uint,
    rosterHash: hash32
  }),
  v.strictObject({
    type: v.literal('chosen'),
    thread: shortText,
    epoch: uint,
    seals: sealedEpochs,
    candidates: candidates(CANDIDATES_MAX),
    roster
  }),
  v.strictObject({
    type: v.literal('sealing'),
    thread: shortText,
    epoch: uint,
    absent: v.exactOptional(roster)
  }),
  v.strictObject({
    type: v.literal('sealed'),
    thread: shortText,
    slot: slotName,
    epoch: uint,
    roster: hash32,
    ...sealFields
  }),
  v.strictObject({ type: v.literal('hard-state'), group: shortText, state: hardState }),
  v.strictObject({ type: v.literal('entries'), group: shortText, entries: logEntries }),
  v.strictObject({
    type: v.literal('lock'),
    slot: slotName,
    epoch: uint,
    stage,
    digest: hash32,
    proposal: v.nullable(shortText)
  }),
  v.strictObject({
    type: v.literal('verdict'),
    thread: shortText,
    commit: shortText,
    pass: v.boolean(),
    evaluation: bytes,
    reasons: listOf(sentence, REASONS_MAX)
  }),
  v.strictObject({
    type: v.literal('learned'),
    thread: shortText,
    group: shortText,
    entries: logEntries
  }),
  v.strictObject({
    type: v.literal('evidence'),
    bytes: v.pipe(
      bytes,
      v.check(value => value.length <= EVIDENCE_BYTES_MAX, 'evidence is too long')
    )
  }),
  v.strictObject({
    type: v.literal('abandoned'),
    thread: shortText,
    reason: sentence,
    nowMs: uint
  }),
  v.strictObject({
    type: v.literal('tombstone'),
    thread: shortText,
    slot: slotName,
    epoch: v.nullable(uint),
    decision: v.nullable(shortText),
    phase,
    until: uint,
    spare: v.exactOptional(v.literal(true))
  }),
  v.strictObject({ type: v.literal('clock'), lamport: uint }),
  v.strictObject({
    type: v.literal('warned'),
    thread: shortText,
    warnings: listOf(sentence, WARNINGS_MAX)
  })
])

/** Canonical DAG-CBOR of a record. Throws on a value that has no such form (`undefined`), or that no reader takes (a float): a bug of the caller. */
export function encodeRecord(record: JournalRecord | SeenRecord): Uint8Array {
  assertIntegers(record)
  return record.type === 'seen' ? encodeSeen(record) : encode(record)
}

/** The encoder writes a number beyond 2^53 - 1 as a float, which nobody can read at the next start. */
function assertIntegers(value: unknown): void {
  if (typeof value === 'number')
    assert(Number.isSafeInteger(value), 'numbers of a record are whole, within 2^53 - 1')
  if (typeof value !== 'object' || value === null) return
  // Bytes and ids, which refer to themselves, hold no numbers of the record.
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return
  for (const part of Object.values(value)) assertIntegers(part)
}

/** A record from its bytes. A refusal means that another release wrote it: the checksum below has already held. */
export function decodeRecord(encoded: Uint8Array): Result<JournalRecord> {
  const value = decodeStrict(encoded)
  return value.ok ? fitting(schema, value.value) : value
}

/** The same for what is in a journal: the machine's records and the door's. */
export function decodeStored(encoded: Uint8Array): Result<JournalRecord | SeenRecord> {
  const value = decodeStrict(encoded)
  if (!value.ok) return value
  const isSeen = (value.value as { type?: unknown } | null)?.type === 'seen'
  return isSeen ? seenOf(value.value) : fitting(schema, value.value)
}

function fitting<T>(of: v.GenericSchema<T>, value: unknown): Result<T> {
  const parsed = v.safeParse(of, value)
  if (parsed.success) return ok(parsed.output)
  return refuse(
    'RECORD_UNKNOWN',
    `not a journal record of this release: ${v.summarize(parsed.issues)}`
  )
}
