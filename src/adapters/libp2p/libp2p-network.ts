import type { Multiaddr } from '@multiformats/multiaddr'
import { assert } from '../../core/base/index.ts'
import type {
  Door,
  Exchange,
  Logger,
  Network,
  NetworkStats,
  PeerInfo,
  PlanStreams
} from '../../ports/index.ts'
import { checkListenAddress, type PeerAddress, parsePeerAddress } from './address.ts'
import { Dialer } from './dialer.ts'
import { Direct } from './direct.ts'
import { Discovery } from './discovery.ts'
import { BadAddressError, PeerUnreachableError, reasonOf } from './errors.ts'
import { HostExchange } from './exchange.ts'
import { Gossip } from './gossip.ts'
import { createHost, type Datastore, type Host } from './host.ts'
import { PEERS_WANTED, PING_MS_MAX, STOP_MS_MAX } from './limits.ts'
import { listenFailure } from './listen-failure.ts'
import { type Member, Members } from './members.ts'
import { namesOf } from './names.ts'
import { didOf, peerIdOf } from './peer-did.ts'
import { HostPlanStreams } from './plan-streams.ts'
import { Voters } from './voters.ts'
import { Watchdog } from './watchdog.ts'

/** How to build the network of a node. */
export type Libp2pNetworkInit = {
  /** Ed25519 seed, 32 bytes. The peer id is this key. */
  readonly seed: Uint8Array
  /** DID of the same key. */
  readonly did: string
  /** Nodes of different names do not hear each other. */
  readonly networkName: string
  /** Multiaddrs to listen on; empty to only dial. */
  readonly listen: readonly string[]
  /** Multiaddrs of peers to keep connected. One that is unreachable is warned of and retried. */
  readonly bootstrap: readonly string[]
  /** Whether to find peers of the LAN by multicast DNS. */
  readonly mdns: boolean
  /** Peers that the node dials by itself; PEERS_WANTED unless given. */
  readonly peersWanted?: number
  /** Where known peers survive a restart; opened and closed by the caller. In memory unless given. */
  readonly datastore?: Datastore
  /** What the node calls itself to its peers. */
  readonly agent?: string
  readonly logger: Logger
  /** Parts to cut for tests of R21: `gossip`. */
  readonly unplug?: ReadonlySet<string>
}

/** The network port on libp2p. */
export interface Libp2pNetwork extends Network {
  /** The libp2p under it, created but not started before `start`. Helia shares it. */
  readonly libp2p: Host
  /** Streams for plan sync. */
  readonly planStreams: PlanStreams
  /** Questions about checkpoints and history. */
  readonly exchange: Exchange
}

/** Creates the network of a node without opening anything. Rejects with BadAddressError. */
export async function libp2pNetwork(init: Libp2pNetworkInit): Promise<Libp2pNetwork> {
  for (const address of init.listen) checkListenAddress(address)
  const bootstrap = init.bootstrap.map(parsePeerAddress)
  const names = namesOf(init.networkName)
  const host = await createHost({
    seed: init.seed,
    names,
    listen: init.listen,
    mdns: init.mdns,
    datastore: init.datastore,
    agent: init.agent ?? 'can-swarm'
  })
  assert(didOf(host.peerId) === init.did, 'the seed is not the key of the DID')
  const parts = createParts(host, init)
  await parts.direct.register()
  await parts.planStreams.register()
  await parts.exchange.register()
  return new HostNetwork({ init, host, bootstrap, ...parts })
}

type Parts = {
  readonly members: Members
  readonly gossip: Gossip
  readonly direct: Direct
  readonly planStreams: HostPlanStreams
  readonly exchange: HostExchange
  readonly dialer: Dialer
  readonly discovery: Discovery
  readonly voters: Voters
  readonly watchdog: Watchdog
}

function createParts(host: Host, init: Libp2pNetworkInit): Parts {
  const { logger, networkName } = init
  const names = namesOf(networkName)
  const members = new Members({ host, protocol: names.direct, logger })
  const peersWanted = init.peersWanted ?? PEERS_WANTED
  const dialer = new Dialer({ host, members, networkName, peersWanted, logger })
  return {
    members,
    dialer,
    gossip: new Gossip({
      pubsub: host.services.pubsub,
      topic: names.topic,
      unplugged: init.unplug?.has('gossip') ?? false,
      logger
    }),
    direct: new Direct({ host, members, protocol: names.direct, logger }),
    planStreams: new HostPlanStreams({ host, protocol: names.plan, logger }),
    exchange: new HostExchange({ host, protocol: names.exchange, logger }),
    discovery: new Discovery({ host, members, dialer, logger }),
    voters: new Voters({ host, members, dialer, key: names.voters, logger }),
    watchdog: new Watchdog({ host, members, logger })
  }
}

type HostNetworkInit = Parts & {
  readonly init: Libp2pNetworkInit
  readonly host: Host
  readonly bootstrap: readonly PeerAddress[]
}

class HostNetwork implements Libp2pNetwork {
  readonly libp2p: Host
  readonly planStreams: PlanStreams
  readonly exchange: Exchange
  readonly did: string
  readonly peerId: string
  readonly #parts: HostNetworkInit
  readonly #logger: Logger
  readonly #running = new AbortController()
  #starting: Promise<void> | null = null
  #stopping: Promise<void> | null = null

  constructor(parts: HostNetworkInit) {
    this.#parts = parts
    this.#logger = parts.init.logger
    this.libp2p = parts.host
    this.planStreams = parts.planStreams
    this.exchange = parts.exchange
    this.did = parts.init.did
    this.peerId = parts.host.peerId.toString()
  }

  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { host, members, gossip, direct, planStreams, exchange } = this.#parts
    const { dialer, discovery, voters, watchdog, bootstrap } = this.#parts
    const { signal } = this.#running
    assert(!signal.aborted, 'a network is started once')
    // Before the host starts, so that no peer that connects at once is missed.
    members.start(signal)
    direct.start(signal)
    planStreams.start(signal)
    exchange.start(signal)
    dialer.start(signal)
    try {
      await host.start()
    } catch (error) {
      this.#running.abort()
      throw listenFailure(this.#parts.init.listen, error)
    }
    gossip.start()
    discovery.start(signal)
    voters.start(signal)
    watchdog.start(signal)
    for (const address of bootstrap) if (!this.#isOwn(address)) dialer.keep(address)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#starting?.catch(() => {})
    this.#parts.gossip.stop()
    this.#running.abort()
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => resolve('late'), STOP_MS_MAX)
    const stopped = Promise.resolve(this.libp2p.stop()).catch(error => {
      this.#logger.debug('libp2p did not stop cleanly', { error: String(error) })
    })
    if ((await Promise.race([stopped, late])) === 'late') this.#cut()
    clearTimeout(timer)
  }

  #cut(): void {
    this.#logger.warn('connections did not close in time and were cut')
    for (const connection of this.libp2p.getConnections()) {
      connection.abort(new DOMException('stopping', 'AbortError'))
    }
  }

  addresses(): readonly string[] {
    return this.libp2p.getMultiaddrs().map((address: Multiaddr) => address.toString())
  }

  peers(): readonly PeerInfo[] {
    const mesh = new Set(this.#parts.gossip.mesh())
    return this.#parts.members.all().map(member => this.#describe(member, mesh))
  }

  #describe(member: Member, mesh: ReadonlySet<string>): PeerInfo {
    const connections = this.libp2p.getConnections(member.peerId)
    const rtt = connections.find(connection => connection.rtt !== undefined)?.rtt
    return {
      did: member.did,
      peerId: member.peerId.toString(),
      addresses: connections.map(connection => connection.remoteAddr.toString()),
      direction: connections[0]?.direction ?? 'outbound',
      rttMs: rtt ?? member.rttMs,
      connectedAt: member.connectedAt,
      agent: member.agent,
      inMesh: mesh.has(member.peerId.toString())
    }
  }

  async join(address: string): Promise<void> {
    const parsed = parsePeerAddress(address)
    if (this.#isOwn(parsed))
      throw new BadAddressError(address, 'is the address of this node itself')
    await this.#parts.dialer.join(parsed)
  }

  async ping(did: string): Promise<number> {
    const peerId = peerIdOf(did)
    if (peerId === null) throw new BadAddressError(did, 'is not the DID of a peer')
    const signal = AbortSignal.any([this.#running.signal, AbortSignal.timeout(PING_MS_MAX)])
    try {
      return await this.libp2p.services.ping.ping(peerId, { signal })
    } catch (error) {
      throw new PeerUnreachableError(did, reasonOf(error), error)
    }
  }

  announceVoter(): void {
    this.#parts.voters.announce()
  }

  seekVoters(): void {
    void this.#parts.voters.seek()
  }

  onPeer(listener: (did: string, connected: boolean) => void): void {
    this.#parts.members.onChange((member, connected) => listener(member.did, connected))
  }

  setDoor(door: Door): void {
    this.#parts.gossip.setDoor(door)
  }

  gossip(bytes: Uint8Array): Promise<void> {
    return this.#parts.gossip.publish(bytes)
  }

  send(did: string, bytes: Uint8Array): void {
    this.#parts.direct.send(did, bytes)
  }

  onMessage(listener: (from: string, bytes: Uint8Array) => void): void {
    this.#parts.direct.onMessage(listener)
  }

  stats(): NetworkStats {
    const { gossip, direct } = this.#parts
    const dht = this.libp2p.services.dht as unknown as {
      readonly routingTable: { readonly size: number }
    }
    return {
      connections: this.libp2p.getConnections().length,
      topicSubscribers: gossip.subscribers(),
      meshPeers: gossip.mesh().length,
      dhtPeers: dht.routingTable.size,
      sendQueue: direct.waiting,
      dropped: direct.dropped
    }
  }

  #isOwn(address: PeerAddress): boolean {
    return address.peerId?.equals(this.libp2p.peerId) ?? false
  }
}
