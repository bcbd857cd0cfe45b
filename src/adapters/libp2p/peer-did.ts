import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { formatDid, parseDid } from '../../core/identity/index.ts'

/** The DID of a peer: the same Ed25519 key in other clothes. Null for keys of other kinds, which are not swarm peers. */
export function didOf(peerId: PeerId): string | null {
  return peerId.type === 'Ed25519' ? formatDid(peerId.publicKey.raw) : null
}

/** The peer id of a DID. Null when it is not a `did:key` of an Ed25519 key. */
export function peerIdOf(did: string): PeerId | null {
  const parsed = parseDid(did)
  if (!parsed.ok) return null
  try {
    return peerIdFromPublicKey(publicKeyFromRaw(parsed.value))
  } catch {
    return null
  }
}
