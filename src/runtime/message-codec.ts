import * as v from 'valibot'
import {
  CANDIDATES_MAX,
  ENTRIES_PER_THREAD_MAX,
  ENVELOPE_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  ok,
  type Result,
  refuse,
  THREADS_MAX
} from '../core/base/index.ts'
import { decodeStrict, encode } from '../core/codec/index.ts'
import type { RaftMessage } from '../core/raft/index.ts'
import {
  NOTICE_CODE_LENGTH_MAX,
  NOTICE_REASON_LENGTH_MAX,
  NOTICE_REASONS_MAX,
  type PeerMessage
} from '../core/swarm/index.ts'
import {
  bytes,
  bytesOf,
  candidates,
  hash32,
  listOf,
  logEntries,
  roster,
  sealFields,
  sentence,
  shortText,
  stage,
  uint
} from './wire-fields.ts'

/** Envelopes in one message: what fits of the smallest ones into MESSAGE_BYTES_MAX, roughly. */
const ENVELOPES_PER_MESSAGE_MAX = 2048

const envelope: v.GenericSchema<Uint8Array> = v.pipe(
  bytes,
  v.check(value => value.length <= ENVELOPE_BYTES_MAX, 'an envelope is too long')
)

const head = { from: shortText, to: shortText, term: uint }
const ballot = { ...head, lastIndex: uint, lastTerm: uint, transfer: v.boolean() }
const ballotReply = { ...head, granted: v.boolean() }

const raftMessage: v.GenericSchema<RaftMessage> = v.variant('type', [
  v.strictObject({ ...ballot, type: v.picklist(['pre-vote', 'vote']) }),
  v.strictObject({ ...ballotReply, type: v.picklist(['pre-vote-reply', 'vote-reply']) }),
  v.strictObject({
    ...head,
    type: v.literal('append'),
    previousIndex: uint,
    previousTerm: uint,
    entries: logEntries,
    commit: uint
  }),
  v.strictObject({
    ...head,
    type: v.literal('append-reply'),
    success: v.boolean(),
    matchIndex: uint,
    conflictTerm: uint
  }),
  v.strictObject({ ...head, type: v.literal('heartbeat'), commit: uint, quiesce: v.boolean() }),
  v.strictObject({ ...head, type: v.literal('heartbeat-reply') }),
  v.strictObject({ ...head, type: v.literal('timeout-now') }),
  v.strictObject({ ...head, type: v.literal('forward'), data: bytes })
])

const schema = v.variant('type', [
  v.strictObject({ type: v.literal('hello'), threads: listOf(shortText, THREADS_MAX) }),
  v.strictObject({
    type: v.literal('envelopes'),
    items: listOf(envelope, ENVELOPES_PER_MESSAGE_MAX)
  }),
  v.strictObject({
    type: v.literal('pull'),
    thread: shortText,
    have: listOf(shortText, ENTRIES_PER_THREAD_MAX),
    group: v.nullable(shortText),
    entries: uint
  }),
  v.strictObject({ type: v.literal('invite'), need: envelope, epoch: uint }),
  v.strictObject({ type: v.literal('available'), thread: shortText, epoch: uint }),
  v.strictObject({
    type: v.literal('bind'),
    thread: shortText,
    epoch: uint,
    candidates: candidates(CANDIDATES_MAX),
    roster
  }),
  v.strictObject({
    type: v.literal('join'),
    thread: shortText,
    epoch: uint,
    rosterHash: hash32,
    sig: bytesOf(64)
  }),
  v.strictObject({ type: v.literal('decline'), thread: shortText, epoch: uint, reason: sentence }),
  v.strictObject({
    type: v.literal('lacking'),
    thread: shortText,
    epoch: uint,
    manifests: listOf(shortText, CANDIDATES_MAX)
  }),
  v.strictObject({
    type: v.literal('manifests'),
    thread: shortText,
    epoch: uint,
    items: listOf(envelope, CANDIDATES_MAX)
  }),
  v.strictObject({ type: v.literal('seal-ask'), thread: shortText, epoch: uint }),
  v.strictObject({
    type: v.literal('sealed'),
    thread: shortText,
    epoch: uint,
    roster: hash32,
    ...sealFields,
    sig: bytesOf(64)
  }),
  v.strictObject({ type: v.literal('raft'), group: shortText, message: raftMessage }),
  v.strictObject({
    type: v.literal('vote'),
    group: shortText,
    stage,
    digest: hash32,
    sig: bytesOf(64)
  }),
  v.strictObject({
    type: v.literal('refused'),
    envelope: shortText,
    code: v.pipe(v.string(), v.maxLength(NOTICE_CODE_LENGTH_MAX)),
    reasons: listOf(v.pipe(v.string(), v.maxLength(NOTICE_REASON_LENGTH_MAX)), NOTICE_REASONS_MAX)
  }),
  v.strictObject({
    type: v.literal('log'),
    group: shortText,
    thread: shortText,
    entries: logEntries
  })
])

/**
 * A message as bytes for the stream: canonical DAG-CBOR. One that is longer than MESSAGE_BYTES_MAX is split where its list
 * means the same in parts (envelopes, log); otherwise the answer is empty, and the caller counts it.
 */
export function encodeMessage(message: PeerMessage): readonly Uint8Array[] {
  const encoded = encode(message)
  if (encoded.length <= MESSAGE_BYTES_MAX) return [encoded]
  return halves(message).flatMap(encodeMessage)
}

function halves(message: PeerMessage): readonly PeerMessage[] {
  if (message.type === 'envelopes')
    return halve(message.items).map(items => ({ ...message, items }))
  if (message.type === 'log')
    return halve(message.entries).map(entries => ({ ...message, entries }))
  return []
}

/** Nothing for a list of one: it cannot be made shorter. */
function halve<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return []
  const middle = items.length >> 1
  return [items.slice(0, middle), items.slice(middle)]
}

/** The refusal of a message beyond MESSAGE_BYTES_MAX. */
export function tooLarge(): Result<never> {
  return refuse('MESSAGE_TOO_LARGE', `a direct message has at most ${MESSAGE_BYTES_MAX} bytes`)
}

/** A stranger's message: size, canonical form, schema, in this order (R1). */
export function decodeMessage(encoded: Uint8Array): Result<PeerMessage> {
  if (encoded.length > MESSAGE_BYTES_MAX) return tooLarge()
  const value = decodeStrict(encoded)
  if (!value.ok) return value
  const parsed = v.safeParse(schema, value.value, { abortEarly: true })
  if (parsed.success) return ok(parsed.output)
  return refuse('MESSAGE_UNKNOWN', `not a message of this protocol: ${v.summarize(parsed.issues)}`)
}
