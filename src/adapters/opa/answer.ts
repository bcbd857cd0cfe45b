import { compareText } from '../../core/base/index.ts'
import { REASON_LENGTH_MAX, REASONS_MAX } from './limits.ts'

/** What a policy decided, before gas is added. */
export type Answer = { readonly allow: boolean; readonly reasons: readonly string[] }

/** How an evaluation may end without an answer. */
export type Stop = 'trap' | 'out-of-gas' | 'out-of-stack'

/**
 * Decisions of the engine itself. Their texts are part of the evaluation digest: they never carry what the machine said,
 * since that differs between versions of the runtime.
 */
export const STOPPED: Readonly<Record<Stop, Answer>> = {
  trap: { allow: false, reasons: ['engine: the evaluation trapped'] },
  'out-of-gas': { allow: false, reasons: ['engine: the evaluation ran out of gas'] },
  'out-of-stack': { allow: false, reasons: ['engine: the evaluation ran out of stack'] }
}
export const MALFORMED: Answer = { allow: false, reasons: ['engine: the answer is malformed'] }

/** Reads `[{"result": {"allow": boolean, "reasons": [text]}}]`. Anything else, and an allow with reasons, is a deny. */
export function parseAnswer(raw: unknown): Answer {
  if (!Array.isArray(raw) || raw.length !== 1) return MALFORMED
  const [answer] = raw as unknown[]
  if (!isMap(answer) || Object.keys(answer).length > 1) return MALFORMED
  const { result } = answer
  if (!isMap(result)) return MALFORMED
  const { allow, reasons, ...rest } = result
  if (typeof allow !== 'boolean' || !areReasons(reasons) || Object.keys(rest).length > 0) {
    return MALFORMED
  }
  if (allow && reasons.length > 0) return MALFORMED
  return { allow, reasons: [...reasons].sort(compareText) }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Half a character would be another one in the digest, and no envelope can say it. */
function areReasons(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= REASONS_MAX &&
    value.every(
      reason =>
        typeof reason === 'string' && reason.length <= REASON_LENGTH_MAX && reason.isWellFormed()
    )
  )
}
