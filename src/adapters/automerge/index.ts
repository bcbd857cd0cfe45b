/**
 * The shared plan as Automerge documents, one per thread, in a worker thread (R16), and Automerge's sync protocol between them.
 *
 * 1. Each planned envelope is one change, a function of the envelope and of the one before it: the same envelopes give the same heads,
 *    in any order.
 * 2. No Automerge bytes of others come to Automerge: of what they send, the envelopes are taken, and the changes made anew.
 * 3. Documents are a cache: freed when many are open, lost with the worker, and folded again from `source`.
 *
 * Specification: protocols/plan/README.md.
 */
export {
  type AutomergePlanStoreInit,
  automergePlanStore
} from './automerge-plan-store.ts'
export { PlanUnavailableError } from './errors.ts'
