import { RESERVED_KEYS } from '../core/codec/index.ts'
import { POLICY_DEPTH_MAX, type PolicyInput, policyText } from '../core/policy/index.ts'
import { PolicyInputError } from './errors.ts'
import { QUESTION_BYTES_MAX } from './limits.ts'

/** Reads a question from JSON text. Raises PolicyInputError. */
export function parseQuestion(text: string, where: string): PolicyInput {
  if (text.length > QUESTION_BYTES_MAX)
    throw flawed(where, `is larger than ${QUESTION_BYTES_MAX} bytes: no policy can read it`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw flawed(where, `is not JSON: ${(cause as Error).message}`, cause)
  }
  return checkQuestion(value, where)
}

/**
 * A value as a question: an object of JSON as envelopes can hold it, with integers and well-formed text only, that nests no deeper than
 * what a policy reads. Raises PolicyInputError.
 */
export function checkQuestion(value: unknown, where: string): PolicyInput {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw flawed(where, 'is no JSON object: a question is one, with a "gate"')
  const input = value as PolicyInput
  if (policyText(input) === null)
    throw flawed(
      where,
      `nests deeper than ${POLICY_DEPTH_MAX} levels: policies are never asked that`
    )
  const strange = strangeNumber(input)
  if (strange !== null)
    throw flawed(where, `has the number ${strange}: write integers below 2^53, amounts as text`)
  const flaw = oddText(input)
  if (flaw !== null) throw flawed(where, flaw)
  return input
}

/** A number that questions do not have. Floats differ between machines and encodings. */
function strangeNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? null : value
  if (typeof value !== 'object' || value === null) return null
  for (const item of Object.values(value)) {
    const strange = strangeNumber(item)
    if (strange !== null) return strange
  }
  return null
}

/** What no question has, since its digest could not tell it from another: keys and text that do not survive the encoding. */
function oddText(value: unknown): string | null {
  if (typeof value === 'string')
    return isSound(value) ? null : 'has text with half a character, or a byte order mark first'
  if (typeof value !== 'object' || value === null) return null
  const keys = Array.isArray(value) ? [] : Object.keys(value)
  const reserved = keys.find(key => RESERVED_KEYS.has(key))
  if (reserved !== undefined) return `has the key ${JSON.stringify(reserved)}, which is reserved`
  for (const item of [...keys, ...Object.values(value)]) {
    const flaw = oddText(item)
    if (flaw !== null) return flaw
  }
  return null
}

function isSound(text: string): boolean {
  return text.isWellFormed() && !text.startsWith('\ufeff')
}

function flawed(where: string, flaw: string, cause?: unknown): PolicyInputError {
  return new PolicyInputError(`${where} ${flaw}`, {}, { cause })
}
