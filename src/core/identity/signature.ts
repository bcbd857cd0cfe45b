import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat, equals, KEYS_REMEMBERED_MAX, toHex } from '../base/index.ts'
import { PUBLIC_KEY_BYTES, parseDid } from './did.ts'
import { isReducedEncoding, isSmallOrderEncoding } from './small-order.ts'

/** Bytes of an Ed25519 signature: R, then S. */
export const SIGNATURE_BYTES = 64
/** Order L of the prime subgroup. */
const ORDER = Point.CURVE().n

/** Verdicts on keys already examined, oldest first. A memory of a pure function: it changes speed, never an answer. */
const examined = new Map<string, boolean>()

/**
 * True when a public key may sign (R3): canonical encoding, a point on the curve, not of small order, and in the
 * prime-order subgroup. Costs about a millisecond the first time; verdicts on the last KEYS_REMEMBERED_MAX keys are kept.
 */
export function admitKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return false
  const key = toHex(publicKey)
  const known = examined.get(key)
  if (known !== undefined) return known
  const admitted = examineKey(publicKey)
  if (examined.size >= KEYS_REMEMBERED_MAX) examined.delete(examined.keys().next().value as string)
  examined.set(key, admitted)
  return admitted
}

function examineKey(publicKey: Uint8Array): boolean {
  const point = decodePoint(publicKey)
  return point !== null && !point.isSmallOrder() && point.isTorsionFree()
}

/** A point from its canonical encoding, or null. */
function decodePoint(bytes: Uint8Array): Point | null {
  try {
    return Point.fromBytes(bytes, false)
  } catch {
    return null
  }
}

/**
 * True when R, the first half of a signature, has a reduced y and is not a point of small order in any encoding. One of the
 * two checks on R that every verifier makes; that R lies on the curve and in the prime-order subgroup follows from the
 * equation, since S times the base point minus k times an admitted key lies there and is compared by its bytes.
 */
export function admitR(signature: Uint8Array): boolean {
  const r = signature.subarray(0, 32)
  return isReducedEncoding(r) && !isSmallOrderEncoding(r)
}

/**
 * The reference of the one Ed25519 rule (R3): key and R admitted, S below L, and [S]B - [k]A encodes to exactly the bytes
 * of R (cofactorless). Never throws. About a thousandth of the speed of a native library; used by tests and as the
 * standard that faster verifiers are held to.
 *
 * The library's own `verify` is not this rule, not even with `zip215: false`: that still multiplies by the cofactor, so it
 * takes an R with a small-order component that a native library refuses.
 */
export function verifyReference(did: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || !admitR(signature)) return false
  const parsed = parseDid(did)
  if (!parsed.ok || !admitKey(parsed.value)) return false
  const key = decodePoint(parsed.value)
  const s = toScalar(signature.subarray(32))
  if (key === null || s >= ORDER) return false
  const r = signature.subarray(0, 32)
  const k = toScalar(sha512(concat([r, parsed.value, bytes]))) % ORDER
  const expected = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k))
  return equals(expected.toBytes(), r)
}

/** Little-endian bytes as a number. */
function toScalar(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`)
}
