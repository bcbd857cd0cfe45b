import type { Verb } from './payloads.ts'

/** Whether a field must be set. Nothing is optional: a field that may or may not be there is a second way to say one thing. */
export type Place = {
  readonly thread: boolean
  readonly epoch: boolean
  readonly fence: boolean
}

/** Opens or stands outside threads. */
const OUTSIDE: Place = { thread: false, epoch: false, fence: false }
/** About a thread; the NEED that it names fixes the attempt. */
const THREAD: Place = { thread: true, epoch: false, fence: false }
/** Acts within one attempt to decide the slot. */
const ATTEMPT: Place = { thread: true, epoch: true, fence: false }
/** Acts on a lease that has been granted. */
const LEASE: Place = { thread: true, epoch: true, fence: true }

/** Where each verb stands: which of thread, epoch and fence its envelopes have. */
export const PLACE_OF_VERB: { readonly [V in Verb]: Place } = {
  NEED: OUTSIDE,
  MANIFEST: OUTSIDE,
  CHECKPOINT: OUTSIDE,
  PROPOSE: THREAD,
  ATTEST_PLAN: THREAD,
  UPDATE_PLAN: THREAD,
  RECONCILE: THREAD,
  FORM: ATTEMPT,
  DECIDE: ATTEMPT,
  CLAIM: ATTEMPT,
  ATTEST: ATTEMPT,
  REJECT: ATTEMPT,
  CHALLENGE: ATTEMPT,
  INVALIDATE: ATTEMPT,
  FINALIZE: ATTEMPT,
  HEARTBEAT: LEASE,
  YIELD: LEASE,
  RELEASE: LEASE,
  COMMIT: LEASE
}
