import { taggedHash } from '../codec/index.ts'
import { TAGS } from '../envelope/index.ts'
import { PlanState } from './plan-state.ts'
import type { PlanChange, PlanGraph, PlanView } from './types.ts'

/** The state of a set of changes, given in any order and with any repetition. */
export function planState(changes: Iterable<PlanChange>): PlanState {
  const state = new PlanState()
  for (const change of changes) state.apply(change)
  return state
}

export function planView(changes: Iterable<PlanChange>): PlanView {
  return planState(changes).view()
}

export function planGraph(changes: Iterable<PlanChange>): PlanGraph {
  return planState(changes).graph()
}

export function planDigest(changes: Iterable<PlanChange>): Uint8Array {
  return viewDigest(planView(changes))
}

/** 32 bytes that name the plan that a decision or outcome refers to: a tagged hash of the view. Equal for any arrival order. */
export function viewDigest(view: PlanView): Uint8Array {
  return taggedHash(TAGS.plan, view)
}
