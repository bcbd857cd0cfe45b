/**
 * What a policy is asked, what it answers, and the digest that names both. Evaluating is the shell's business.
 *
 * 1. Sender and receivers build the question with `messageInput`, verifiers with `bidInput` and `commitInput`; nobody writes one by hand.
 * 2. The same question, capsule, engine and answer give the same `evaluationDigest` everywhere.
 */
export { CAPABILITY_OF_VERB } from './capabilities.ts'
export {
  type BidSubject,
  bidInput,
  type CommitSubject,
  commitInput,
  type Evaluation,
  evaluationDigest,
  type Message,
  messageInput,
  toPolicyValue,
  type Usage
} from './input.ts'
export { POLICY_DEPTH_MAX, policyText } from './policy-text.ts'
export type { Gate, PolicyDecision, PolicyInput, PolicyValue } from './types.ts'
