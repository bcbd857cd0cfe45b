/**
 * The node's one state machine: input in, effects out.
 *
 * The caller (runtime) must, in this order: restore every journal record, call `start` once, then `step` each input and run the effects
 * of a step in their order, with nothing after a synced `persist` before its fsync (R13) but what `splitEarly` allows. It steps nothing
 * while an fsync is under way.
 *
 * 1. Envelopes come in only through the door; what arrives inside entries or invitations is sent there first (`admit`).
 * 2. A JOIN promise and a finality lock are on disk before the signature that they allow leaves (R9, R10).
 * 3. A node's own envelope is on disk before it is gossiped, so its Lamport clock never repeats.
 * 4. Every thread ends: by certificate, or given up with a reason after its last deadline (P6).
 */

export { ArchivedAnswer, answerFromArchive } from './archived-answer.ts'
export { type SwarmInit, type SwarmSettings, swarmDefaults } from './context.ts'
export { type SplitEffects, splitEarly } from './early-sends.ts'
export { SEEN_ONLY } from './ending.ts'
export type { SwarmEvent } from './events.ts'
export type { KeptEvidence } from './evidence-shelf.ts'
export type { KnownEnds } from './known-ends.ts'
export {
  NOTICE_CODE_LENGTH_MAX,
  NOTICE_REASON_LENGTH_MAX,
  NOTICE_REASONS_MAX
} from './refusals.ts'
export { Revival, reviveThread } from './revive.ts'
export { Swarm } from './swarm.ts'
export { TOMBSTONES_MAX, type Tombstone, tombstoneUntil } from './tombstones.ts'
export type {
  AdmitOrigin,
  ArchivedThread,
  Command,
  Effect,
  Input,
  JournalRecord,
  PeerMessage,
  Phase,
  Pull,
  RecordItem,
  SealedEpoch,
  Stage,
  ThreadSummary,
  ThreadView,
  VoidView
} from './types.ts'
export { TERMINAL } from './types.ts'
