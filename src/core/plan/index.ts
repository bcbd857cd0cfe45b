/**
 * Plan: facts that envelopes state, and the task graph derived from them. A CRDT: available under partition, never edited.
 *
 * 1. Tasks, links, inputs and outputs are grow-only sets. Of several ADD_TASK of one name the smallest source wins.
 * 2. A task's state only moves forward. Annotations: the largest source wins.
 * 3. A source is (lamport, sender, envelope, position of the fact); its order is total, so arrival order does not matter.
 * 4. Exclusivity is not the plan's business: who may do a task is what the thread's group decides.
 *
 * Specification: protocols/plan/README.md.
 */
export { planDigest, planView } from './digest.ts'
export { type PlanEntry, planEntryOf } from './entry.ts'
export { GRAPH_LINKS_MAX, planGraph } from './graph.ts'
export { PlanState } from './plan-state.ts'
export { compareChanges } from './source.ts'
export type {
  Annotation,
  LinkView,
  PlanChain,
  PlanChange,
  PlanGraph,
  PlanView,
  TaskState,
  TaskView
} from './types.ts'
