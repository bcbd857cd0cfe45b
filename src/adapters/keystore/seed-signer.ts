import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { formatDid, toPkcs8 } from '../../core/identity/index.ts'
import type { Signer } from '../../ports/index.ts'

/** Signs with the key of a 32-byte RFC 8032 seed. */
export function seedSigner(seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.from(toPkcs8(seed)), format: 'der', type: 'pkcs8' })
  return { did: didOf(key), sign: bytes => new Uint8Array(sign(null, bytes, key)) }
}

/** The last 32 bytes of an Ed25519 SubjectPublicKeyInfo are the raw key. */
function didOf(key: KeyObject): string {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return formatDid(new Uint8Array(spki.subarray(-32)))
}
