import { sha256 as reference } from '@noble/hashes/sha2.js'
import { assert, equals, fromHex, utf8 } from '../base/index.ts'

/** SHA-256 of the bytes, in an array of its own. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** FIPS 180-4, the examples of one and of two blocks, and the hash of nothing. */
const VECTORS: readonly (readonly [string, string])[] = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'
  ]
]

let inUse: Sha256 = reference

/** SHA-256 in plain JavaScript: what every faster one is held to. */
export const referenceSha256: Sha256 = reference

/** SHA-256 of the bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return inUse(bytes)
}

/**
 * Has all of this process hash by another implementation, such as the platform's own; a shell calls it once before it starts. A bug
 * (assertion) when the function fails a published example.
 *
 * One for all is right here where it would not be for a clock or a generator: SHA-256 is one function, so which code computes it changes
 * how long an answer takes and no answer. Handing it through every call that names an envelope would tell nothing.
 */
export function useSha256(fast: Sha256): void {
  for (const [text, expected] of VECTORS) {
    const found = fast(utf8(text))
    assert(found.constructor === Uint8Array, 'a hash is a plain array of bytes')
    assert(equals(found, fromHex(expected)), 'a SHA-256 gives the published hashes')
  }
  inUse = fast
}
