/**
 * Plan: facts that envelopes state, and the task graph derived from them. A CRDT: available under partition, never edited.
 *
 * 1. Tasks, links, inputs and outputs are grow-only sets. Of several ADD_TASK of one name the smallest source wins.
 * 2. A task's state only moves forward, and only by those who have a part in the thread. Annotations: the largest source wins.
 * 3. A source is (standing, lamport, sender, envelope, position of the fact); its order is total, so arrival order does not matter.
 * 4. The UPDATE_PLANs of a sender count as far as their chain is whole, within its quotas, up to where it forks.
 * 5. A proposal's facts count once it is decided; where two were, the one of the highest epoch stands.
 * 6. Exclusivity is not the plan's business: who may do a task is what the thread's group decides.
 *
 * Specification: protocols/plan/README.md.
 */
export type { PlanPlace } from './chains.ts'
export { planDigest, planGraph, planState, planView, viewDigest } from './digest.ts'
export { type PlanEntry, planEntryOf } from './entry.ts'
export {
  PLAN_DEPTH_MAX,
  PLAN_FLAWS_MAX,
  PLAN_LINKS_MAX,
  SESSION_BYTES_MAX,
  SESSION_FACTS_MAX
} from './limits.ts'
export { PlanState } from './plan-state.ts'
export {
  type Branch,
  type BranchArtifact,
  compareBranches,
  type Reconciliation,
  reconcile
} from './reconcile.ts'
export { compareChanges } from './source.ts'
export type {
  Annotation,
  ArtifactView,
  BranchView,
  ForkView,
  LinkFlaw,
  LinkView,
  PlanAct,
  PlanApplied,
  PlanChain,
  PlanChange,
  PlanExcerpt,
  PlanGraph,
  PlanSession,
  PlanView,
  TaskState,
  TaskView
} from './types.ts'
