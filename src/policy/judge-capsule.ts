import { engineHash, type Judge, openCapsule } from '../adapters/opa/index.ts'
import { toHex } from '../core/base/index.ts'
import { evaluationDigest, type PolicyDecision, type PolicyInput } from '../core/policy/index.ts'
import type { CapsuleDag } from './capsule-dag.ts'
import { placeOf } from './rule-place.ts'

/** What a capsule says about a question. */
export type Judgement = {
  /** Text CID of the capsule. */
  readonly capsule: string
  readonly decision: PolicyDecision
  /** `policyEvalDigest` in hex, as an envelope of this question would carry it. */
  readonly digest: string
}

/** A rule that denied. */
export type Finding = {
  readonly rule: string
  /** The value that it saw, as the policy wrote it; empty when it wrote none. */
  readonly saw: string
  /** Where its name stands in the sources: `path:line`; null when it does not. */
  readonly where: string | null
}

/** Opens a capsule on this machine, in this thread. Raises CapsuleRefusedError. */
export function openDag({ capsule }: CapsuleDag): (input: PolicyInput) => Judgement {
  const judge: Judge = openCapsule(capsule)
  const engine = engineHash(capsule.capabilities)
  return input => {
    const decision = judge(input)
    const evaluation = { input, decision, capsule: capsule.cid, engine }
    return { capsule: capsule.cid, decision, digest: toHex(evaluationDigest(evaluation)) }
  }
}

/** Which rules denied at a gate, which values they saw, and where they are written. */
export function explainDecision(
  { reasons }: Pick<PolicyDecision, 'reasons'>,
  { capsule, sources }: CapsuleDag,
  gate: unknown
): Finding[] {
  const searched = { sources, entrypoint: capsule.entrypoint, gate }
  return reasons.map(reason => {
    const { rule, saw } = splitReason(reason)
    return { rule, saw, where: placeOf(rule, searched) }
  })
}

/** A reason is `rule: what it saw`. */
function splitReason(reason: string): { rule: string; saw: string } {
  const at = reason.indexOf(': ')
  return at < 0
    ? { rule: reason, saw: '' }
    : { rule: reason.slice(0, at), saw: reason.slice(at + 2) }
}
