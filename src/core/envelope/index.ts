/**
 * The one signed message type: its schema per verb, its signing bytes, and the stages of the door that need no keys and
 * no threads. See protocols/envelope/.
 *
 * 1. Strangers' bytes go through `parseEnvelope`; then rate, signature, freshness, replay and policy, in the door's order.
 * 2. The id of an envelope is the CID of its complete signed bytes (R2), never of something encoded anew.
 * 3. A refusal is a value with a code of `ENVELOPE_REFUSALS`; nothing here throws on strangers' data.
 */
export { AuthorRate, type AuthorRateInit } from './author-rate.ts'
export type { Admitted, Draft, Envelope, Stamp, Unsigned } from './envelope.ts'
export {
  anyBytes,
  bytesOf,
  cid,
  compareFence,
  did,
  type Fence,
  hash32,
  name,
  text,
  uint
} from './fields.ts'
export { checkFreshness } from './freshness.ts'
export { holdIn, letRest, parseEnvelope, READ_AGAIN_MAX, readEnvelope } from './held.ts'
export { checkDraft } from './parse.ts'
export {
  type Certificate,
  certificate as certificateSchema,
  type Decision,
  decision as decisionSchema,
  type EpochSeal,
  type Fact,
  type Outcome,
  type Payload,
  payloads,
  type Standing,
  type Terms,
  VERBS,
  type Verb,
  type Windows
} from './payloads.ts'
export { PLACE_OF_VERB, type Place } from './place.ts'
export { ENVELOPE_REFUSALS, type EnvelopeRefusal, refuseEnvelope } from './refusals.ts'
export {
  type Guarded,
  ReplayGuard,
  type ReplayGuardInit,
  type SenderWindow,
  WINDOW_IDS_MAX
} from './replay-guard.ts'
export { sealEnvelope, signedBytes, signingBytes, unsignedEnvelope } from './seal.ts'
export { TAGS } from './statements.ts'
