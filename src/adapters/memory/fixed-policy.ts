import { cidOf, encode, taggedHash } from '../../core/codec/index.ts'
import type { PolicyDecision, PolicyInput } from '../../core/policy/index.ts'
import type { PolicyEngine } from '../../ports/index.ts'

export const ALLOW: PolicyDecision = { allow: true, reasons: [], gas: 0 }

export type FixedPolicyInit = {
  /** Answers every question. A rejection is what a missing capsule or a timeout looks like. Without it everything is allowed. */
  readonly decide?: (
    capsule: string,
    input: PolicyInput
  ) => PolicyDecision | Promise<PolicyDecision>
}

/** A policy engine without policies. All instances have the same engine hash and base capsule. */
export function fixedPolicy(init: FixedPolicyInit = {}): PolicyEngine {
  return {
    engine: taggedHash('can-swarm/fixed-policy/v1', {}),
    baseCapsule: cidOf(encode('can-swarm/fixed-policy/v1')).toString(),
    start: async () => undefined,
    stop: async () => undefined,
    evaluate: async (capsule, input) => (await init.decide?.(capsule, input)) ?? ALLOW
  }
}
