import type { PolicyInput, PolicyValue } from './types.ts'

/** Arrays and objects within each other. An envelope has at most 32, and the input a few around it. */
export const POLICY_DEPTH_MAX = 64

/**
 * The JSON text that a policy reads: RFC 8785, so that equal inputs are equal bytes and cost equal gas, whatever order their keys
 * were made in. Null when it nests deeper than POLICY_DEPTH_MAX.
 */
export function policyText(input: PolicyInput): string | null {
  return textOf(input, POLICY_DEPTH_MAX)
}

/** `depth`: how much deeper it may nest. Scalars take none. */
function textOf(value: PolicyValue, depth: number): string | null {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (depth === 0) return null
  return Array.isArray(value)
    ? listText(value, depth - 1)
    : mapText(value as { readonly [key: string]: PolicyValue }, depth - 1)
}

function listText(list: readonly PolicyValue[], depth: number): string | null {
  if (depth > 0 && list.every(isFlatInOrder)) return JSON.stringify(list)
  let text = ''
  for (const item of list) {
    const part = textOf(item, depth)
    if (part === null) return null
    text += text === '' ? part : `,${part}`
  }
  return `[${text}]`
}

function mapText(map: { readonly [key: string]: PolicyValue }, depth: number): string | null {
  let text = ''
  // Sorts by UTF-16 code unit, as the RFC does.
  for (const key of Object.keys(map).sort()) {
    const part = textOf(map[key] ?? null, depth)
    if (part === null) return null
    text += `${text === '' ? '' : ','}${keyText(key)}:${part}`
  }
  return `{${text}}`
}

/** A scalar, or a map with nothing in it to sort, here or below: as every fact of a plan that was decoded. */
function isFlatInOrder(value: PolicyValue): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined
  if (Array.isArray(value)) return false
  const map = value as { readonly [key: string]: PolicyValue }
  let last = ''
  for (const key of Object.keys(map)) {
    const item = map[key]
    if (key < last || item === undefined || (typeof item === 'object' && item !== null))
      return false
    last = key
  }
  return true
}

/** Keys are few, and the same in every input. */
function keyText(key: string): string {
  const known = keyTexts.get(key)
  if (known !== undefined) return known
  const text = JSON.stringify(key)
  if (keyTexts.size < KEYS_MAX && key.length <= KEY_LENGTH_MAX) keyTexts.set(key, text)
  return text
}

/** Keys whose text is kept ready, and their greatest length: far more than protocols have. */
const KEYS_MAX = 512
const KEY_LENGTH_MAX = 64
const keyTexts = new Map<string, string>()
