import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  randomBytes
} from 'node:crypto'
import { concat, fromHex } from '../../core/base/index.ts'

const SPKI_HEAD: Uint8Array = fromHex('302a300506032b656e032100')
const PKCS8_HEAD: Uint8Array = fromHex('302e020100300506032b656e04220420')
/** Of an X25519 key, in bytes (RFC 7748). */
const KEY_BYTES = 32
/** The field of Curve25519: 2^255 - 19. */
const P: bigint = 2n ** 255n - 19n

/**
 * The X25519 key of an Ed25519 public key that was admitted (R3): the same point on the curve's other form, u = (1 + y) / (1 - y).
 */
export function toMontgomery(ed25519: Uint8Array): Uint8Array {
  const y = fromLittleEndian(ed25519) & (2n ** 255n - 1n)
  return toLittleEndian(modulo((1n + y) * power(modulo(1n - y), P - 2n)))
}

/** A fresh key pair. */
export function freshKey(): { readonly secret: Uint8Array; readonly publicKey: Uint8Array } {
  const secret = new Uint8Array(randomBytes(KEY_BYTES))
  return { secret, publicKey: publicKeyOf(secret) }
}

export function publicKeyOf(secret: Uint8Array): Uint8Array {
  const der = createPublicKey(privateKey(secret)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(der.subarray(-KEY_BYTES))
}

/** The shared secret. Throws where the public key is of small order. */
export function agree(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const der = Buffer.from(concat([SPKI_HEAD, publicKey]))
  const other = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return new Uint8Array(diffieHellman({ privateKey: privateKey(secret), publicKey: other }))
}

function privateKey(secret: Uint8Array): KeyObject {
  const der = Buffer.from(concat([PKCS8_HEAD, secret]))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function toLittleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: KEY_BYTES }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}
