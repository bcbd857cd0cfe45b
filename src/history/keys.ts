/** Digits of an index in a key: text order is number order. */
const DIGITS = 12

/** The key of one leaf under a prefix. */
export function indexKey(prefix: string, index: number): string {
  return prefix + String(index).padStart(DIGITS, '0')
}
