/**
 * The network port on libp2p: gossip behind the door, direct messages, and peers that keep finding each other.
 *
 * The caller's duties:
 * 1. Set the door and the listeners before `start`.
 * 2. Start the network before anything else starts its libp2p, and stop it after everything else that uses it.
 * 3. Open the datastore before, and close it after, the life of the network.
 * 4. Treat gossip and direct messages as best effort: what must arrive is pulled (R6).
 *
 * What holds:
 * 1. A gossiped message is forwarded and delivered only after the door accepted it (R4); its id covers its complete bytes (R5).
 * 2. A direct message's sender is the key of the authenticated connection. Messages of one peer arrive in order.
 * 3. Everything that a peer can make grow has a limit in limits.ts.
 * 4. A named address is redialled for ever; nothing else is.
 */
export {
  BadAddressError,
  ListenFailedError,
  PeerUnreachableError,
  PortInUseError,
  WrongNetworkError
} from './errors.ts'
export type { Datastore, Host } from './host.ts'
export { type Libp2pNetwork, type Libp2pNetworkInit, libp2pNetwork } from './libp2p-network.ts'
export { didOf, peerIdOf } from './peer-did.ts'
