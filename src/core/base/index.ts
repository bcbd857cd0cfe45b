/**
 * The ground: results, assertions, bytes, limits. Imports nothing of ours; every other room may import it.
 */
export { AssertionError, assert, unreachable } from './assert.ts'
export {
  compareBytes,
  compareText,
  concat,
  equals,
  fromBase64,
  fromHex,
  fromUtf8,
  toBase64,
  toHex,
  utf8
} from './bytes.ts'
export { SwarmError } from './errors.ts'
export * from './limits.ts'
export { printable } from './printable.ts'
export { seededGenerator } from './random.ts'
export { ok, type Refusal, type Result, refuse } from './result.ts'
export { SparseMap } from './sparse-map.ts'
