/**
 * The shared plan as Automerge documents, one per thread, in a worker thread (R16).
 *
 * 1. Each envelope's facts are one change that is a function of the envelope: the same envelopes give the same heads, in any order.
 * 2. No Automerge bytes of others are ever parsed; facts come inside admitted envelopes.
 * 3. Documents are a cache: freed when many are open, lost with the worker, and folded again from `source`.
 *
 * Specification: protocols/plan/README.md.
 */
export {
  type AutomergePlanStoreInit,
  automergePlanStore
} from './automerge-plan-store.ts'
export { PlanTooLargeError, PlanUnavailableError } from './errors.ts'
