import type { PolicyInput, PolicyValue } from './types.ts'

/** Arrays and objects within each other. An envelope has at most 32, and the input a few around it. */
export const POLICY_DEPTH_MAX = 64

/**
 * The JSON text that a policy reads: RFC 8785, so that equal inputs are equal bytes and cost equal gas, whatever order their keys
 * were made in. Null when it nests deeper than POLICY_DEPTH_MAX.
 */
export function policyText(input: PolicyInput): string | null {
  return isDeeper(input, POLICY_DEPTH_MAX) ? null : textOf(input)
}

function isDeeper(value: PolicyValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  return Object.values(value).some(item => isDeeper(item as PolicyValue, depth - 1))
}

function textOf(value: PolicyValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`
  const entries = value as { readonly [key: string]: PolicyValue }
  // Sorts by UTF-16 code unit, as the RFC does.
  const keys = Object.keys(entries).sort()
  return `{${keys.map(key => `${JSON.stringify(key)}:${textOf(entries[key] ?? null)}`).join(',')}}`
}
