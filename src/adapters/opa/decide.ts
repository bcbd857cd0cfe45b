import type { PolicyDecision } from '../../core/policy/index.ts'
import { type Answer, MALFORMED, parseAnswer, STOPPED } from './answer.ts'
import type { Evaluated, Sandbox } from './sandbox.ts'

/**
 * The decision of a policy about a JSON text; null is a text that could not be written and ends like one that does not fit into
 * memory. An evaluation that is stopped costs all the gas that it was given.
 */
export function decide(sandbox: Sandbox, input: string | null): PolicyDecision {
  return decisionOf(sandbox, evaluateIn(sandbox, input, sandbox.limits.gas))
}

/** The same decision as `decide` makes, or null where it costs more than `gas`. */
export function decideWithin(
  sandbox: Sandbox,
  input: string | null,
  gas: number
): PolicyDecision | null {
  const evaluated = evaluateIn(sandbox, input, Math.min(gas, sandbox.limits.gas))
  if (evaluated.kind === 'out-of-gas' && gas < sandbox.limits.gas) return null
  return decisionOf(sandbox, evaluated)
}

function evaluateIn(sandbox: Sandbox, input: string | null, gas: number): Evaluated {
  return input === null ? { kind: 'trap' } : sandbox.evaluate(input, gas)
}

function decisionOf(sandbox: Sandbox, evaluated: Evaluated): PolicyDecision {
  if (evaluated.kind !== 'answered') return { ...STOPPED[evaluated.kind], gas: sandbox.limits.gas }
  return { ...answerIn(evaluated.text), gas: evaluated.gas }
}

function answerIn(text: string | null): Answer {
  if (text === null) return MALFORMED
  try {
    return parseAnswer(JSON.parse(text))
  } catch {
    return MALFORMED
  }
}
