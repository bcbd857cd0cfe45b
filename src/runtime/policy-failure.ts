import { AssertionError, type Refusal, refuse, SwarmError } from '../core/base/index.ts'
import type { Logger } from '../ports/index.ts'

/**
 * What an evaluation that gave no answer means: this node's fault or timing, never a verdict about the envelope (R17).
 * The engine's own codes (CAPSULE_UNAVAILABLE, POLICY_TIMEOUT) are kept. Bugs are thrown on.
 */
export function policyFailure(error: unknown, logger: Logger): Refusal {
  if (error instanceof AssertionError) throw error
  if (error instanceof SwarmError) return { code: error.code, message: error.message }
  logger.error('a policy evaluation failed', { error: String(error) })
  return refuse(
    'POLICY_UNAVAILABLE',
    'the policy could not be evaluated here: see the log of this node'
  ).refusal
}
