import type { Verb } from '../envelope/index.ts'

/**
 * The capability that a sender uses to be allowed to say a verb. The base capsule holds the same table
 * (policies/base/capabilities.rego) and refuses any other pair; a test proves that both are equal.
 */
export const CAPABILITY_OF_VERB: { readonly [V in Verb]: string } = {
  NEED: 'swarm/need',
  FORM: 'swarm/form',
  PROPOSE: 'swarm/propose',
  ATTEST_PLAN: 'swarm/attest-plan',
  DECIDE: 'swarm/decide',
  CLAIM: 'swarm/claim',
  HEARTBEAT: 'swarm/heartbeat',
  YIELD: 'swarm/yield',
  RELEASE: 'swarm/release',
  UPDATE_PLAN: 'swarm/update-plan',
  COMMIT: 'swarm/commit',
  ATTEST: 'swarm/attest',
  REJECT: 'swarm/reject',
  CHALLENGE: 'swarm/challenge',
  INVALIDATE: 'swarm/invalidate',
  FINALIZE: 'swarm/finalize',
  RECONCILE: 'swarm/reconcile',
  CHECKPOINT: 'swarm/checkpoint',
  MANIFEST: 'swarm/manifest'
}
