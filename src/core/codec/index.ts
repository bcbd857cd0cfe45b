/**
 * One encoding (R1): strict DAG-CBOR, CIDv1 with sha2-256, and domain-separated hashes. See protocols/codec/.
 *
 * 1. The caller checks the size of untrusted bytes before decoding them.
 * 2. `decodeStrict` is the only decoder for strangers' bytes.
 * 3. Nothing here throws on untrusted bytes.
 */
export { CID } from 'multiformats/cid'
export {
  cidOf,
  DAG_CBOR,
  encode,
  encodeReference,
  hash,
  idOf,
  tagBytes,
  taggedBytes,
  taggedHash
} from './canonical.ts'
export { digestOfId, idFromDigest, isEnvelopeId } from './id-text.ts'
export { sharedLink } from './interned.ts'
export { RESERVED_KEYS } from './reserved-keys.ts'
export { referenceSha256, type Sha256, useSha256 } from './sha256.ts'
export { decodeReference, decodeStrict } from './strict.ts'
