import { compare as compareBytes } from 'uint8arrays/compare'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { toString as bytesToString } from 'uint8arrays/to-string'

export { compareBytes, concat, equals }

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return bytesToString(bytes, 'base16')
}

/** Parses lower-case hexadecimal of even length; the caller guarantees the form. */
export function fromHex(text: string): Uint8Array {
  return fromString(text, 'base16')
}

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  return fromString(text, 'utf8')
}

/** Code-unit order: total, locale-free. The only string order that protocol state may use. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
