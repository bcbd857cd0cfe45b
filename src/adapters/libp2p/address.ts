import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { BadAddressError, LISTEN_EXAMPLE } from './errors.ts'

/** An address that a user gave, and the peer that it names if it names one. */
export type PeerAddress = {
  readonly text: string
  readonly multiaddr: Multiaddr
  readonly peerId: PeerId | null
}

/** Parses a join or bootstrap address. Throws BadAddressError. */
export function parsePeerAddress(text: string): PeerAddress {
  const address = parse(text)
  if (!isTcp(address)) throw new BadAddressError(text, 'is not a TCP address')
  const name = address.getComponents().findLast(part => part.code === CODE_P2P)?.value
  if (name === undefined) return { text, multiaddr: address, peerId: null }
  return { text, multiaddr: address, peerId: parsePeerId(text, name) }
}

/** Checks a listen address. Throws BadAddressError. */
export function checkListenAddress(text: string): void {
  if (isTcp(parse(text, LISTEN_EXAMPLE))) return
  throw new BadAddressError(text, 'is not a TCP address to listen on', { example: LISTEN_EXAMPLE })
}

function parse(text: string, example?: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (error) {
    const cause = { cause: error, ...(example === undefined ? {} : { example }) }
    throw new BadAddressError(text, 'is not a multiaddr', cause)
  }
}

function parsePeerId(text: string, name: string): PeerId {
  try {
    const peerId = peerIdFromString(name)
    if (peerId.type === 'Ed25519') return peerId
  } catch (error) {
    throw new BadAddressError(text, 'ends in a peer id that is not one', { cause: error })
  }
  throw new BadAddressError(text, 'names a peer whose key is not Ed25519')
}

function isTcp(address: Multiaddr): boolean {
  const [host, port] = address.getComponents()
  return /^(ip4|ip6|dns|dns4|dns6)$/u.test(host?.name ?? '') && port?.name === 'tcp'
}
