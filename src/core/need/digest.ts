import { planDigest } from '../plan/index.ts'
import { factsOf } from './facts.ts'
import type { NeedState } from './state.ts'

/** Digest of the plan as the log has it at this point: what a decision and an outcome refer to. */
export function planDigestOf(state: NeedState): Uint8Array {
  return planDigest(
    state.planned.map(admitted => ({
      envelope: admitted.id,
      sender: admitted.envelope.sender,
      lamport: admitted.envelope.lamport,
      facts: factsOf(admitted, state.need)
    }))
  )
}
