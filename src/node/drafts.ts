import type { CID } from '../core/codec/index.ts'
import type { Draft, Payload, Verb } from '../core/envelope/index.ts'
import { CAPABILITY_OF_VERB } from '../core/policy/index.ts'

/** Life of an envelope that a user or agent says, in ms; below the limit that receivers enforce. */
const LIFE_MS = 23 * 3600 * 1000

/** A draft as a user or agent states it. The core fills in epoch and fence where the verb acts on them. */
export function draftOf<V extends Verb>(
  verb: V,
  thread: CID | null,
  payload: Payload<V>,
  refs: readonly CID[] = []
): Draft<V> {
  return {
    verb,
    thread,
    capability: CAPABILITY_OF_VERB[verb],
    epoch: null,
    fence: null,
    refs,
    payload,
    notAfter: Date.now() + LIFE_MS,
    traceparent: null
  } as Draft as Draft<V>
}
