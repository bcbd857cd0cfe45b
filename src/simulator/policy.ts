import { taggedHash } from '../core/codec/index.ts'
import {
  CAPABILITY_OF_VERB,
  evaluationDigest,
  type Message,
  messageInput,
  type PolicyDecision
} from '../core/policy/index.ts'
import { CAPSULE } from './drafts.ts'

const ENGINE: Uint8Array = taggedHash('can-swarm/simulated-policy/v1', {})
const BUDGET_MAX = 1_000_000n

/** What a virtual world asks of a policy engine. */
export type WorldPolicy = {
  readonly engine: Uint8Array
  /** Text CID of the base capsule. */
  readonly capsule: string
  /** Whether a sender may say it; what the preflight gate asks. */
  allows(message: Message): boolean
  evaluate(message: Message): { readonly allow: boolean; readonly digest: Uint8Array }
}

/**
 * In place of the wasm engine: two rules in code, asked at the same places and named by the same digests. It binds the verb to its
 * capability, as the base capsule does, and bounds the budget.
 */
export class StandInPolicy implements WorldPolicy {
  readonly engine: Uint8Array = ENGINE
  readonly capsule: string = CAPSULE.toString()

  allows(message: Message): boolean {
    return decide(message).allow
  }

  evaluate(message: Message): { readonly allow: boolean; readonly digest: Uint8Array } {
    const decision = decide(message)
    const input = messageInput(message)
    const digest = evaluationDigest({ input, decision, capsule: this.capsule, engine: this.engine })
    return { allow: decision.allow, digest }
  }
}

function decide(message: Message): PolicyDecision {
  const reasons: string[] = []
  if (message.capability !== CAPABILITY_OF_VERB[message.verb]) reasons.push('capability: another')
  if (message.verb === 'NEED' && message.payload.budget > BUDGET_MAX)
    reasons.push('budget: too high')
  return { allow: reasons.length === 0, reasons, gas: 1 }
}
