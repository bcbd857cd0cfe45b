import { compare as compareBytes } from 'uint8arrays/compare'
import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { toString as textOf } from 'uint8arrays/to-string'

export { compareBytes, concat, equals }

/** Code of the character for a value below 16. */
const HEX = Array.from('0123456789abcdef', digit => digit.charCodeAt(0))
/** Bytes turned at once: each becomes two arguments of one call. */
const HEX_BYTES = 1024

/** Lower-case hexadecimal. In one piece, unlike what is put together by characters: thousands of digests are kept as text. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length > HEX_BYTES)
    return toHex(bytes.subarray(0, HEX_BYTES)) + toHex(bytes.subarray(HEX_BYTES))
  const codes = new Array<number>(2 * bytes.length)
  let at = 0
  for (const byte of bytes) {
    codes[at++] = HEX[byte >> 4] as number
    codes[at++] = HEX[byte & 15] as number
  }
  return String.fromCharCode(...codes)
}

/** Parses lower-case hexadecimal of even length; the caller guarantees the form. */
export function fromHex(text: string): Uint8Array {
  return fromString(text, 'base16')
}

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  return fromString(text, 'utf8')
}

/** The text of UTF-8 bytes, or null when they are not well-formed UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | null {
  const text = textOf(bytes, 'utf8')
  return equals(utf8(text), bytes) ? text : null
}

/** Standard base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  return textOf(bytes, 'base64pad')
}

/** Bytes of standard base64 with padding; null when the text is not the one that `toBase64` gives. */
export function fromBase64(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  try {
    const bytes = fromString(text, 'base64pad')
    return toBase64(bytes) === text ? bytes : null
  } catch {
    return null
  }
}

/** Code-unit order: total, locale-free. The only string order that protocol state may use. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
