import { compare as compareBytes } from 'uint8arrays/compare'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'

export { compareBytes, concat, equals }

/** Two digits for each byte: the library's general bases take ten times as long, and a node turns many digests. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
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
