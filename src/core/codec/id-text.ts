import { assert } from '../base/index.ts'

/**
 * Envelope ids (CIDv1, DAG-CBOR, SHA-256) between their text and their digest. The library does it for any CID, in fifty times the time;
 * a node that starts turns hundreds of thousands of them.
 */

/** Of base32, in the order of the values. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
/** What stands before the digest: version, codec, hash, length. */
const HEAD: readonly number[] = [0x01, 0x71, 0x12, 0x20]
/** Bytes of a SHA-256 digest. */
const DIGEST_SIZE = 32
const SIZE = HEAD.length + DIGEST_SIZE
/** `b` for base32, and five bits a character. */
const TEXT_LENGTH = 1 + Math.ceil((SIZE * 8) / 5)

/** Value of each character by its code; -1 for others. */
const VALUES: Int8Array = new Int8Array(128).fill(-1)
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value

/** The id whose digest this is. */
export function idFromDigest(digest: Uint8Array): string {
  assert(digest.length === DIGEST_SIZE, 'a digest has its size')
  // Codes, not text: sixty concatenations take ten times as long.
  const codes = new Array<number>(TEXT_LENGTH)
  codes[0] = 98
  let count = 1
  let bits = 0
  let held = 0
  for (let at = 0; at < SIZE; at++) {
    held = (held << 8) | ((at < HEAD.length ? HEAD[at] : digest[at - HEAD.length]) as number)
    for (bits += 8; bits >= 5; bits -= 5) codes[count++] = codeOf(held >> (bits - 5))
    held &= (1 << bits) - 1
  }
  if (bits > 0) codes[count++] = codeOf(held << (5 - bits))
  assert(count === TEXT_LENGTH, 'an id has its length')
  return String.fromCharCode(...codes)
}

/** Code of the character that stands for the lowest five bits: a to z, then 2 to 7. */
function codeOf(value: number): number {
  const digit = value & 31
  return digit < 26 ? digit + 97 : digit + 24
}

/** Whether the text is the id of an envelope, in the one form that ids have (R1). */
export function isEnvelopeId(text: string): boolean {
  return digestOfId(text) !== null
}

/** The digest inside an id; null for text that is no such id in its one form. */
export function digestOfId(text: string): Uint8Array | null {
  if (text.length !== TEXT_LENGTH || text[0] !== 'b') return null
  const bytes = new Uint8Array(SIZE)
  let size = 0
  let bits = 0
  let held = 0
  for (let at = 1; at < TEXT_LENGTH; at++) {
    const value = VALUES[text.charCodeAt(at)]
    if (value === undefined || value < 0) return null
    held = (held << 5) | value
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[size++] = held >> bits
    held &= (1 << bits) - 1
  }
  if (held !== 0 || HEAD.some((byte, at) => bytes[at] !== byte)) return null
  return bytes.subarray(HEAD.length)
}
