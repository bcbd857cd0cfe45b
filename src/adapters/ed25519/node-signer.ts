import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { assert } from '../../core/base/index.ts'
import { formatDid, toPkcs8 } from '../../core/identity/index.ts'
import type { Signer } from '../../ports/index.ts'

/** Signs with the key of a 32-byte RFC 8032 seed. The seed is copied; the caller may clear its own. */
export function nodeSigner(seed: Uint8Array): Signer {
  assert(seed.length === 32, 'an Ed25519 seed has 32 bytes')
  const key = createPrivateKey({ key: Buffer.from(toPkcs8(seed)), format: 'der', type: 'pkcs8' })
  // The last 32 bytes of an Ed25519 SubjectPublicKeyInfo are the raw key.
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const did = formatDid(new Uint8Array(spki.subarray(-32)))
  return { did, sign: bytes => new Uint8Array(sign(null, bytes, key)) }
}
