/** Ed25519 by hand, to make signatures that no honest signer makes. */
import { createHash } from 'node:crypto'
import { Point } from '@noble/ed25519'

export const ORDER = Point.CURVE().n

/** A point of order 8; its multiples are all points of small order. */
export const TORSION = Point.fromHex(
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'
)

export function scalarOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

export function bytesOf(scalar: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse())
}

/** k = SHA-512(R, A, message) mod L. */
export function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  return scalarOf(createHash('sha512').update(r).update(key).update(message).digest()) % ORDER
}

/** A signature by the scalar `a`, with the given nonce point (its scalar r, encoded as `encodedR`), under the key bytes. */
export function forge(options: {
  readonly a: bigint
  readonly r: bigint
  readonly encodedR: Uint8Array
  readonly key: Uint8Array
  readonly message: Uint8Array
}): Uint8Array {
  const { a, r, encodedR, key, message } = options
  const s = (r + challenge(encodedR, key, message) * a) % ORDER
  return Uint8Array.from([...encodedR, ...bytesOf(s)])
}
