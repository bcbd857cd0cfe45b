import { taggedHash } from '../codec/index.ts'
import { TAGS } from '../envelope/index.ts'
import { PlanState } from './plan-state.ts'
import type { PlanChange, PlanView } from './types.ts'

/** The view of a set of changes, given in any order and with any repetition. */
export function planView(changes: readonly PlanChange[]): PlanView {
  const state = new PlanState()
  for (const change of changes) state.apply(change)
  return state.view()
}

/** 32 bytes that name the plan that a decision or outcome refers to: a tagged hash of the view. Equal for any arrival order. */
export function planDigest(changes: readonly PlanChange[]): Uint8Array {
  return taggedHash(TAGS.plan, planView(changes))
}
