import { type GossipSub, gossipsub } from '@chainsafe/libp2p-gossipsub'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify, identifyPush } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { gatheringMuxer, joiningEncrypter } from './gathered-writes.ts'
import { gossipOptions } from './gossip-options.ts'
import {
  CONNECTIONS_MAX,
  DIAL_MS_MAX,
  INBOUND_CONNECTIONS_PER_SECOND,
  INBOUND_PENDING_MAX,
  PEER_AGE_MS_MAX,
  PEERS_WANTED,
  PING_STREAMS_MAX
} from './limits.ts'
import type { Names } from './names.ts'
import { ownAddresses } from './own-addresses.ts'
import { saysPatiently } from './patient-words.ts'

/** Where libp2p keeps its peer store: the datastore of its own types, such as a LevelDatastore. */
export type Datastore = NonNullable<Libp2pOptions['datastore']>

/** The services of our libp2p. */
export type HostServices = {
  readonly identify: unknown
  readonly identifyPush: unknown
  readonly ownAddresses: object
  readonly ping: Ping
  readonly dht: KadDHT
  readonly pubsub: GossipSub
}

/** Our libp2p. Helia shares it. */
export type Host = Libp2p<HostServices & Record<string, unknown>>

/** What a host is made of. */
export type HostInit = {
  readonly seed: Uint8Array
  readonly names: Names
  readonly listen: readonly string[]
  readonly mdns: boolean
  readonly datastore: Datastore | undefined
  readonly agent: string
}

/** Creates libp2p without starting it. */
export async function createHost(init: HostInit): Promise<Host> {
  // Where there are more peers, forwards do not wait to hear that they are not needed.
  const mayWait = (): boolean => host.getPeers().length < PEERS_WANTED
  const host = await createLibp2p({
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', init.seed),
    nodeInfo: { userAgent: init.agent },
    ...(init.datastore === undefined ? {} : { datastore: init.datastore }),
    addresses: { listen: [...init.listen] },
    transports: [tcp()],
    connectionEncrypters: [joiningEncrypter(noise())],
    streamMuxers: [gatheringMuxer(yamux(), stream => saysPatiently(stream, mayWait))],
    peerDiscovery: init.mdns ? [mdns({ serviceTag: init.names.mdns })] : [],
    peerStore: { maxAddressAge: PEER_AGE_MS_MAX, maxPeerAge: PEER_AGE_MS_MAX },
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      dialTimeout: DIAL_MS_MAX,
      // Redialling is the Dialer's: libp2p's queue has five places, which five dead peers would hold for ever, and
      // it does not retry an address that was unreachable from the start.
      reconnectRetries: 0
    },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ownAddresses: ownAddresses(),
      // The DHT, libp2p's monitor and this adapter all ping. With libp2p's limit of one stream they get in each other's way,
      // and then the monitor closes a healthy connection and the DHT leaves a healthy peer out.
      ping: ping({ maxInboundStreams: PING_STREAMS_MAX, maxOutboundStreams: PING_STREAMS_MAX }),
      // On private addresses the routing table stays empty unless both clientMode and the mapper say otherwise.
      dht: kadDHT({
        protocol: init.names.kad,
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        initialQuerySelfInterval: 50
      }),
      pubsub: gossipsub(gossipOptions(init.names.topic))
    }
  })
  return host
}
