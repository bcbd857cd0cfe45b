/**
 * The life of one NEED: bidding, decision, lease, commit, verdicts, challenge window, outcome.
 *
 * 1. State is a function of NEED, FORM and the committed entries; nothing else is read.
 * 2. Time is log time: the stamp of the entry being applied, strictly increasing (R14).
 * 3. What an expired lease, fence or epoch asks for is refused here, at apply (R15).
 * 4. An entry that breaks a rule is void; it still is part of the hash chain.
 * 5. Payouts add up to the escrow (P5).
 */
export { checkNeed, WINDOW_MS_MAX } from './check-need.ts'
export {
  type Divergence,
  divergences,
  type SignedEvaluation,
  signedEvaluations
} from './divergence.ts'
export { type CommittedEntry, decodeEntry, type EntryBody, encodeEntry } from './entry.ts'
export { factsOf, planChangeOf } from './facts.ts'
export { verdictSeal } from './judging.ts'
export { PLANNED_FACTS_MAX } from './limits.ts'
export { planOfLog } from './log-plan.ts'
export {
  type Applied,
  followsOn,
  hasEffect,
  isPointless,
  LOGGED_VERBS,
  NeedLog,
  type NeedLogInit
} from './need-log.ts'
export type { Dispute, Lease, NeedPhase, NeedState, Proposal, Verdict } from './state.ts'
export { isSolo, quote } from './state.ts'
export { bidSubjectOf, commitSubjectOf } from './subjects.ts'
