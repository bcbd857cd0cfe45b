import type { Listener } from '@libp2p/interface'
import { isPrivate } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'

/** The parts of libp2p that this service touches. */
export type OwnAddressesComponents = {
  readonly addressManager: {
    confirmObservedAddr(address: Multiaddr, options: { readonly type: 'transport' }): void
  }
  readonly events: {
    addEventListener(
      type: 'transport:listening',
      listener: (event: CustomEvent<Listener>) => void
    ): void
  }
}

/**
 * Announces public addresses that this node listens on. libp2p keeps them to itself until AutoNAT peers have confirmed
 * them, and private swarms have none, so a node on a public host would tell nobody where it is.
 */
export function ownAddresses(): (components: OwnAddressesComponents) => object {
  return ({ addressManager, events }) => {
    events.addEventListener('transport:listening', event => {
      for (const address of event.detail.getAddrs()) {
        if (!isPrivate(address)) addressManager.confirmObservedAddr(address, { type: 'transport' })
      }
    })
    return {}
  }
}
