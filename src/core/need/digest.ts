import { planDigest } from '../plan/index.ts'
import { planChangeOf } from './facts.ts'
import type { NeedState } from './state.ts'

/** Digest of the plan as the log has it at this point: what a decision and an outcome refer to. */
export function planDigestOf(state: NeedState): Uint8Array {
  return planDigest(state.planned.flatMap(admitted => planChangeOf(admitted, state.need) ?? []))
}
