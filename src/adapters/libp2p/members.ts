import type { Connection, IdentifyResult, PeerId } from '@libp2p/interface'
import type { Logger } from '../../ports/index.ts'
import type { Host } from './host.ts'
import { PING_MS_MAX } from './limits.ts'
import { didOf } from './peer-did.ts'

/** A connected peer of this swarm. */
export type Member = {
  readonly did: string
  readonly peerId: PeerId
  readonly connectedAt: number
  agent: string
  rttMs: number | null
}

/** What the members are drawn from. */
export type MembersInit = {
  readonly host: Host
  /** A peer is one of ours when it speaks this protocol. */
  readonly protocol: string
  readonly logger: Logger
}

type Listener = (member: Member, connected: boolean) => void

/**
 * The connected peers that speak our direct protocol, by peer id. A peer comes once and goes once however many connections
 * it has; strangers that merely speak libp2p never come.
 */
export class Members {
  readonly #init: MembersInit
  readonly #members = new Map<string, Member>()
  /** Connected peers that have said who they are, members or not. */
  readonly #identified = new Set<string>()
  readonly #listeners: Listener[] = []
  #signal = AbortSignal.abort()

  constructor(init: MembersInit) {
    this.#init = init
  }

  /** Begins to watch; until `signal` fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
    const { host } = this.#init
    host.addEventListener('peer:identify', event => this.#onIdentify(event.detail), { signal })
    host.addEventListener('peer:disconnect', event => this.#onDisconnect(event.detail), { signal })
    // The node's own stop is not news about its peers.
    signal.addEventListener('abort', () => {
      this.#members.clear()
      this.#identified.clear()
    })
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener)
  }

  get(peerId: PeerId): Member | undefined {
    return this.#members.get(peerId.toString())
  }

  all(): readonly Member[] {
    return [...this.#members.values()]
  }

  isIdentified(peerId: PeerId): boolean {
    return this.#identified.has(peerId.toString())
  }

  /** A peer that opens a direct stream has shown that it is a member, even before it said so. */
  admit(connection: Connection): void {
    if (connection.status === 'open') this.#add(connection.remotePeer, '')
  }

  #onIdentify(result: IdentifyResult): void {
    const { peerId } = result
    if (this.#init.host.getConnections(peerId).length === 0) return
    this.#identified.add(peerId.toString())
    if (!result.protocols.includes(this.#init.protocol)) return
    const member = this.#add(peerId, result.agentVersion ?? '')
    if (member !== null && result.agentVersion !== undefined) member.agent = result.agentVersion
  }

  #add(peerId: PeerId, agent: string): Member | null {
    const key = peerId.toString()
    const known = this.#members.get(key)
    if (known !== undefined) return known
    const did = didOf(peerId)
    if (did === null || this.#signal.aborted) return null
    const member: Member = { did, peerId, connectedAt: Date.now(), agent, rttMs: null }
    this.#members.set(key, member)
    this.#tell(member, true)
    this.#measure(member)
    return member
  }

  #onDisconnect(peerId: PeerId): void {
    const key = peerId.toString()
    this.#identified.delete(key)
    const member = this.#members.get(key)
    if (member === undefined) return
    this.#members.delete(key)
    this.#tell(member, false)
  }

  #tell(member: Member, connected: boolean): void {
    this.#init.logger.debug(connected ? 'peer connected' : 'peer disconnected', { did: member.did })
    for (const listener of this.#listeners) listener(member, connected)
  }

  /** A first round trip time, long before libp2p's own monitor takes one. */
  #measure(member: Member): void {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(PING_MS_MAX)])
    this.#init.host.services.ping.ping(member.peerId, { signal }).then(
      ms => {
        member.rttMs = ms
      },
      error =>
        this.#init.logger.debug('first ping failed', { did: member.did, error: String(error) })
    )
  }
}
