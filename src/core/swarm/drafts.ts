import type { CID } from '../codec/index.ts'
import type { Draft, Fence, Payload, Verb } from '../envelope/index.ts'
import { CAPABILITY_OF_VERB } from '../policy/index.ts'
import type { Context } from './context.ts'
import type { Thread } from './thread.ts'

/** How long envelopes of a thread stay acceptable after the NEED's own expiry, in ms: late nodes must still be able to catch up. */
const CATCH_UP_MS = 12 * 3600 * 1000
/** Longest life given to an envelope, in ms; below the limit that receivers enforce, which leaves room for clock differences. */
const LIFE_MS = 23 * 3600 * 1000

/** A draft about a thread, in this node's name. */
export function threadDraft<V extends Verb>(
  context: Context,
  thread: Thread,
  verb: V,
  payload: Payload<V>,
  act: { readonly epoch?: number; readonly fence?: Fence; readonly refs?: readonly CID[] } = {}
): Draft {
  return {
    verb,
    thread: thread.need.cid,
    capability: CAPABILITY_OF_VERB[verb],
    epoch: act.epoch ?? null,
    fence: act.fence ?? null,
    refs: act.refs ?? [],
    payload,
    notAfter: Math.min(
      context.nowMs + LIFE_MS,
      thread.need.envelope.payload.expiresAt + CATCH_UP_MS
    ),
    traceparent: thread.need.envelope.traceparent
  } as Draft
}
