import { base58btc } from 'multiformats/bases/base58'
import { concat, ok, type Result, refuse } from '../base/index.ts'

/** Bytes of an Ed25519 public key. */
export const PUBLIC_KEY_BYTES = 32
/** Varint of the multicodec `ed25519-pub`. */
const ED25519_PUB = new Uint8Array([0xed, 0x01])
const SCHEME = 'did:key:'
/** Characters of a `did:key` of an Ed25519 key: the scheme, `z`, 47 of base58btc. */
const DID_LENGTH = 56

/**
 * The public key that a `did:key` names. Only the one canonical text of an Ed25519 key is taken; refuses with `BAD_DID`.
 * Says nothing about the key itself: see `admitKey`. Source: W3C CCG did:key, multicodec ed25519-pub.
 */
export function parseDid(did: string): Result<Uint8Array> {
  if (did.length !== DID_LENGTH || !did.startsWith(`${SCHEME}z`)) return badDid()
  let bytes: Uint8Array
  try {
    bytes = base58btc.decode(did.slice(SCHEME.length))
  } catch {
    return badDid()
  }
  const isEd25519 =
    bytes.length === 34 && bytes[0] === ED25519_PUB[0] && bytes[1] === ED25519_PUB[1]
  if (!isEd25519) return badDid()
  const publicKey = bytes.slice(2)
  return formatDid(publicKey) === did ? ok(publicKey) : badDid()
}

/** The canonical `did:key` of a 32-byte Ed25519 public key. */
export function formatDid(publicKey: Uint8Array): string {
  return SCHEME + base58btc.encode(concat([ED25519_PUB, publicKey]))
}

function badDid(): Result<never> {
  return refuse('BAD_DID', 'the sender is not a did:key of an Ed25519 public key in canonical form')
}
