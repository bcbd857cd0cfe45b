/** What the door says of a gossiped message; maps to gossipsub's validator results. */
export type DoorVerdict = 'accept' | 'ignore' | 'reject'

/** The forwarding neighbour and the complete bytes. Awaited before the message is forwarded or delivered (R4). */
export type Door = (bytes: Uint8Array, from: string) => Promise<DoorVerdict>

export type PeerInfo = {
  readonly did: string
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly direction: 'inbound' | 'outbound'
  /** Round-trip time in ms, null until measured. */
  readonly rttMs: number | null
  readonly connectedAt: number
  readonly agent: string
  readonly inMesh: boolean
}

/** The peer-to-peer side: gossip, direct messages, discovery. Identified by DID at this boundary; peer ids stay inside. */
export interface Network {
  start(): Promise<void>
  /** Idempotent; bounded by a few seconds. */
  stop(): Promise<void>
  readonly did: string
  readonly peerId: string
  /** Dialable addresses with /p2p/ suffix. */
  addresses(): readonly string[]
  peers(): readonly PeerInfo[]
  /** Dials an address and keeps the peer: redialled for ever when it goes away. Rejects with a clear error when unreachable. */
  join(address: string): Promise<void>
  /** Round trip in ms. */
  ping(did: string): Promise<number>
  /** Lets others find this node as one that votes, from now on and where they know none of its peers. */
  announceVoter(): void
  /** Looks for nodes that announced that, and connects to some of them. What they are is for their manifests to say. Returns at once. */
  seekVoters(): void
  onPeer(listener: (did: string, connected: boolean) => void): void
  /** The one topic. `door` is its validator. Messages that it accepts are forwarded; nothing else is delivered. */
  setDoor(door: Door): void
  gossip(bytes: Uint8Array): Promise<void>
  /** Direct message over a long-lived stream, dialling when needed. Never throws; drops with a debug log when the bounded queue is full or the peer unreachable. */
  send(did: string, bytes: Uint8Array): void
  onMessage(listener: (from: string, bytes: Uint8Array) => void): void
  /** Sizes for `doctor` and metrics. */
  stats(): NetworkStats
}

export type NetworkStats = {
  readonly connections: number
  readonly topicSubscribers: number
  readonly meshPeers: number
  readonly dhtPeers: number
  readonly sendQueue: number
  readonly dropped: number
}
