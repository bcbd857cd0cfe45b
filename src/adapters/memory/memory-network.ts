import { MESSAGE_BYTES_MAX, SwarmError, toHex } from '../../core/base/index.ts'
import { hash } from '../../core/codec/index.ts'
import type { Door, Logger, Network, NetworkStats, PeerInfo } from '../../ports/index.ts'

/** Nobody listens at the address in this hub. Same code as on a real network. */
export class MemoryPeerUnreachableError extends SwarmError {
  readonly code = 'PEER_UNREACHABLE'
}

/** Not an address of a hub, or the node's own. Same code as on a real network. */
export class MemoryBadAddressError extends SwarmError {
  readonly code = 'BAD_ADDRESS'
}

/** Messages that wait for one peer; the newest is dropped above it. */
const QUEUE_MESSAGES_MAX = 1024
/** Message ids that a node remembers. */
const SEEN_MAX = 65_536
const SCHEME = '/memory/'

/** What a memory node is made of. */
export type MemoryNetworkInit = {
  readonly did: string
  /** Addresses of peers to keep connected, there or not yet there. */
  readonly bootstrap?: readonly string[]
  readonly logger: Logger
  /** Parts to cut, as on the real network: `gossip`. */
  readonly unplug?: ReadonlySet<string>
}

/** A network inside one process: all nodes that have met are connected to each other. Delivers in order, asynchronously. */
export class MemoryHub {
  readonly #nodes = new Map<string, MemoryNetwork>()

  /** A node on this hub, not started. Its address follows from its DID. */
  network(init: MemoryNetworkInit): Network {
    return new MemoryNetwork(this, init)
  }

  find(did: string): MemoryNetwork | undefined {
    return this.#nodes.get(did)
  }

  /** Connects a started node with everybody that it names, that names it, or that lost it. */
  enter(node: MemoryNetwork): void {
    this.#nodes.set(node.did, node)
    for (const other of [...this.#nodes.values()]) {
      if (other !== node && (node.wanted.has(other.did) || other.wanted.has(node.did))) {
        this.connect(node, other)
      }
    }
  }

  leave(node: MemoryNetwork): void {
    if (this.#nodes.get(node.did) === node) this.#nodes.delete(node.did)
    for (const other of node.links.values()) other.unlink(node.did)
  }

  connectToVoters(node: MemoryNetwork): void {
    for (const other of [...this.#nodes.values()]) if (other.votes) this.connect(node, other)
  }

  /** Connects two nodes, and each with the peers of the other. */
  connect(a: MemoryNetwork, b: MemoryNetwork): void {
    if (a === b || a.links.has(b.did)) return
    const peers = [...a.links.values(), ...b.links.values()]
    a.link(b, 'outbound')
    b.link(a, 'inbound')
    for (const peer of peers) {
      this.connect(a, peer)
      this.connect(b, peer)
    }
  }
}

class MemoryNetwork implements Network {
  readonly did: string
  readonly peerId: string
  readonly links = new Map<string, MemoryNetwork>()
  /** DIDs of peers to connect to whenever they are there. */
  readonly wanted = new Set<string>()
  votes = false
  readonly #hub: MemoryHub
  readonly #init: MemoryNetworkInit
  readonly #infos = new Map<string, PeerInfo>()
  readonly #queues = new Map<string, Uint8Array[]>()
  readonly #seen = new Set<string>()
  readonly #peerListeners: ((did: string, connected: boolean) => void)[] = []
  readonly #messageListeners: ((from: string, bytes: Uint8Array) => void)[] = []
  #door: Door | null = null
  #isRunning = false
  #dropped = 0

  constructor(hub: MemoryHub, init: MemoryNetworkInit) {
    this.#hub = hub
    this.#init = init
    this.did = init.did
    this.peerId = init.did.slice('did:key:'.length)
    for (const address of init.bootstrap ?? []) this.wanted.add(parseAddress(address))
    this.wanted.delete(this.did)
  }

  async start(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#hub.enter(this)
    for (const did of this.wanted) {
      if (!this.links.has(did)) {
        this.#init.logger.warn(`${addressOf(did)} cannot be reached; this node keeps trying`, {
          address: addressOf(did)
        })
      }
    }
  }

  async stop(): Promise<void> {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#hub.leave(this)
    // The node's own stop is not news about its peers.
    this.links.clear()
    this.#infos.clear()
    this.#queues.clear()
  }

  addresses(): readonly string[] {
    return this.#isRunning ? [addressOf(this.did)] : []
  }

  peers(): readonly PeerInfo[] {
    return [...this.#infos.values()]
  }

  async join(address: string): Promise<void> {
    const did = parseAddress(address)
    if (did === this.did)
      throw new MemoryBadAddressError(`"${address}" is the address of this node itself`)
    const node = this.#hub.find(did)
    if (node === undefined) {
      throw new MemoryPeerUnreachableError(`${address} cannot be reached: start that node first`)
    }
    this.wanted.add(did)
    this.#hub.connect(this, node)
  }

  async ping(did: string): Promise<number> {
    if (!this.links.has(did)) {
      throw new MemoryPeerUnreachableError(`${did} cannot be reached: it is not connected`)
    }
    return 0
  }

  announceVoter(): void {
    this.votes = true
  }

  seekVoters(): void {
    if (this.#isRunning) this.#hub.connectToVoters(this)
  }

  onPeer(listener: (did: string, connected: boolean) => void): void {
    this.#peerListeners.push(listener)
  }

  setDoor(door: Door): void {
    this.#door = door
  }

  async gossip(bytes: Uint8Array): Promise<void> {
    if (!this.#isRunning || this.#isUnplugged()) return
    this.#see(bytes)
    this.#forward(bytes, this.did)
  }

  send(did: string, bytes: Uint8Array): void {
    const peer = this.#hub.find(did)
    if (
      !this.#isRunning ||
      peer === undefined ||
      peer === this ||
      bytes.length > MESSAGE_BYTES_MAX
    ) {
      return this.#drop(did, 1)
    }
    const queue = this.#queues.get(did) ?? []
    if (queue.length >= QUEUE_MESSAGES_MAX) return this.#drop(did, 1)
    this.#queues.set(did, queue)
    queue.push(bytes.slice())
    if (queue.length === 1) queueMicrotask(() => this.#flush(did, queue))
  }

  onMessage(listener: (from: string, bytes: Uint8Array) => void): void {
    this.#messageListeners.push(listener)
  }

  stats(): NetworkStats {
    let waiting = 0
    for (const queue of this.#queues.values()) waiting += queue.length
    return {
      connections: this.links.size,
      topicSubscribers: this.links.size,
      meshPeers: this.links.size,
      dhtPeers: this.links.size,
      sendQueue: waiting,
      dropped: this.#dropped
    }
  }

  link(peer: MemoryNetwork, direction: 'inbound' | 'outbound'): void {
    this.links.set(peer.did, peer)
    this.wanted.add(peer.did)
    this.#infos.set(peer.did, {
      did: peer.did,
      peerId: peer.peerId,
      addresses: [addressOf(peer.did)],
      direction,
      rttMs: 0,
      connectedAt: Date.now(),
      agent: 'can-swarm memory',
      inMesh: true
    })
    for (const listener of this.#peerListeners) listener(peer.did, true)
  }

  unlink(did: string): void {
    if (!this.links.delete(did)) return
    this.#infos.delete(did)
    for (const listener of this.#peerListeners) listener(did, false)
  }

  /** A message of a neighbour, on its way to the door. */
  async receive(bytes: Uint8Array, from: string): Promise<void> {
    if (!this.#isRunning || this.#isUnplugged() || this.#door === null || !this.#see(bytes)) return
    try {
      if ((await this.#door(bytes, from)) === 'accept' && this.#isRunning)
        this.#forward(bytes, from)
    } catch (error) {
      this.#init.logger.error('the door failed on a gossiped message; it was ignored', {
        error: String(error)
      })
    }
  }

  deliver(from: string, bytes: Uint8Array): void {
    if (!this.#isRunning) return
    for (const listener of this.#messageListeners) listener(from, bytes)
  }

  #flush(did: string, queue: Uint8Array[]): void {
    const peer = this.#hub.find(did)
    const messages = queue.splice(0)
    if (peer === undefined || !this.#isRunning) return this.#drop(did, messages.length)
    this.#hub.connect(this, peer)
    for (const bytes of messages) peer.deliver(this.did, bytes)
  }

  #forward(bytes: Uint8Array, from: string): void {
    for (const [did, peer] of this.links) {
      if (did !== from) queueMicrotask(() => void peer.receive(bytes.slice(), this.did))
    }
  }

  /** False when the message was seen before. */
  #see(bytes: Uint8Array): boolean {
    const id = toHex(hash(bytes))
    if (this.#seen.has(id)) return false
    this.#seen.add(id)
    if (this.#seen.size > SEEN_MAX) this.#seen.delete(this.#seen.values().next().value as string)
    return true
  }

  #drop(did: string, count: number): void {
    this.#dropped += count
    this.#init.logger.debug('direct messages dropped', { to: did, count })
  }

  #isUnplugged(): boolean {
    return this.#init.unplug?.has('gossip') ?? false
  }
}

function addressOf(did: string): string {
  return SCHEME + did.slice('did:key:'.length)
}

function parseAddress(address: string): string {
  const name = address.slice(SCHEME.length)
  if (address.startsWith(SCHEME) && name.length > 0) return `did:key:${name}`
  throw new MemoryBadAddressError(
    `"${address}" is not an address of a memory hub, such as ${SCHEME}z6Mk...`
  )
}
