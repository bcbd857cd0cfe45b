import { createHash, hkdfSync } from 'node:crypto'
import { assert } from '../../core/base/index.ts'
import { isKemAvailable, kemPublicKey } from './kem.ts'

/** What opens a node's sealed files, and what others need to seal to it. */
export type SealKeys = {
  /** X25519 private key. */
  readonly x25519: Uint8Array
  /** Seed of the ML-KEM key, and its public key; null where the platform has no ML-KEM. */
  readonly kem: { readonly seed: Uint8Array; readonly publicKey: Uint8Array } | null
}

/** Of an Ed25519 seed, in bytes (RFC 8032). */
const SEED_BYTES = 32
/** Of the seed of an ML-KEM key, in bytes: d and z (FIPS 203). */
const KEM_SEED_BYTES = 64
const KEM_INFO = 'can-swarm/sealed/ml-kem-768/v1'

/** The keys of a node's 32-byte Ed25519 seed: whoever has the one has the others, so there is nothing more to keep. */
export function sealKeys(seed: Uint8Array): SealKeys {
  assert(seed.length === SEED_BYTES, 'an Ed25519 seed has 32 bytes')
  // RFC 8032: the scalar is the first half of the hash of the seed; X25519 clamps it itself.
  const x25519 = new Uint8Array(createHash('sha512').update(seed).digest().subarray(0, SEED_BYTES))
  if (!isKemAvailable) return { x25519, kem: null }
  const kemSeed = new Uint8Array(hkdfSync('sha256', seed, '', KEM_INFO, KEM_SEED_BYTES))
  return { x25519, kem: { seed: kemSeed, publicKey: kemPublicKey(kemSeed) } }
}
