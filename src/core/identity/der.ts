import { concat } from '../base/index.ts'

/** RFC 8410 wrappings of raw Ed25519 keys, which native libraries ask for. Fixed prefixes: both lengths are fixed. */
const SPKI_PREFIX = new Uint8Array([
  0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00
])
const PKCS8_PREFIX = new Uint8Array([
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20
])

/** DER SubjectPublicKeyInfo of a 32-byte public key. */
export function toSpki(publicKey: Uint8Array): Uint8Array {
  return concat([SPKI_PREFIX, publicKey])
}

/** DER PKCS #8 of a 32-byte seed. Secret. */
export function toPkcs8(seed: Uint8Array): Uint8Array {
  return concat([PKCS8_PREFIX, seed])
}
