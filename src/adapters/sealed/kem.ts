import * as crypto from 'node:crypto'
import { concat, fromHex } from '../../core/base/index.ts'

/** Bytes of an ML-KEM-768 public key (FIPS 203). */
export const KEM_KEY_BYTES = 1184
/** Bytes of what is sent for the other side to find the secret. */
export const KEM_CIPHERTEXT_BYTES = 1088

/** DER before a public key: SubjectPublicKeyInfo of ML-KEM-768. */
const SPKI_HEAD: Uint8Array = fromHex('308204b2300b0609608648016503040402038204a100')
/** DER before a seed of 64 bytes: PKCS #8 of ML-KEM-768 with the seed alone. */
const PKCS8_HEAD: Uint8Array = fromHex('3054020100300b060960864801650304040204428040')

/** The platform's KEM; older releases of Node have none. */
type Kem = {
  readonly encapsulate?: (key: crypto.KeyObject) => {
    sharedKey: Uint8Array
    ciphertext: Uint8Array
  }
  readonly decapsulate?: (key: crypto.KeyObject, ciphertext: Uint8Array) => Uint8Array
}
const { encapsulate, decapsulate } = crypto as Kem

export const isKemAvailable: boolean = encapsulate !== undefined && decapsulate !== undefined

/** The public key of a 64-byte seed (d, z). */
export function kemPublicKey(seed: Uint8Array): Uint8Array {
  const spki = crypto.createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(spki.subarray(-KEM_KEY_BYTES))
}

/** A fresh secret for the holder of a public key. Throws on bytes that are no key. */
export function encapsulateTo(publicKey: Uint8Array): {
  secret: Uint8Array
  ciphertext: Uint8Array
} {
  const der = Buffer.from(concat([SPKI_HEAD, publicKey]))
  const key = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' })
  const { sharedKey, ciphertext } = (encapsulate as NonNullable<Kem['encapsulate']>)(key)
  return { secret: new Uint8Array(sharedKey), ciphertext: new Uint8Array(ciphertext) }
}

/** The secret inside; of a changed ciphertext another one, without saying so. */
export function decapsulateWith(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return new Uint8Array(
    (decapsulate as NonNullable<Kem['decapsulate']>)(privateKey(seed), ciphertext)
  )
}

function privateKey(seed: Uint8Array): crypto.KeyObject {
  const der = Buffer.from(concat([PKCS8_HEAD, seed]))
  return crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
