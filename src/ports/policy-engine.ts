import type { PolicyDecision, PolicyInput } from '../core/policy/index.ts'

/** Evaluates capsules without stalling the event loop (R17). */
export interface PolicyEngine {
  start(): Promise<void>
  stop(): Promise<void>
  /** Hash of evaluator, metering rules and versions: `policyEngine` of envelopes. */
  readonly engine: Uint8Array
  /** CID (text) of the base capsule that ships with the program. */
  readonly baseCapsule: string
  /** Rejects with CapsuleUnavailableError or PolicyTimeoutError; a trap or bad answer is a deny. */
  evaluate(capsule: string, input: PolicyInput): Promise<PolicyDecision>
}
