import type { PeerId } from '@libp2p/interface'
import type { QueryEvent } from '@libp2p/kad-dht'
import type { Logger } from '../../ports/index.ts'
import type { Dialer } from './dialer.ts'
import type { Host } from './host.ts'
import { LOOKUP_DELAYS_MS, LOOKUP_MS_MAX } from './limits.ts'
import type { Members } from './members.ts'

/** Name of the peer store's tag on peers of this swarm, and its value: members are cut last when there are too many connections. */
const TAG = 'can-swarm'
const TAG_VALUE = 50

/** What discovery works with. */
export type DiscoveryInit = {
  readonly host: Host
  readonly members: Members
  readonly dialer: Dialer
  readonly logger: Logger
}

/**
 * Finds more peers while they are wanted: those of the last run, those that multicast DNS hears, and those that
 * connected peers know (a DHT lookup of the own key, soon after each new peer and rarely otherwise).
 */
export class Discovery {
  readonly #init: DiscoveryInit
  #signal = AbortSignal.abort()
  #timer: NodeJS.Timeout | null = null
  /** Index into LOOKUP_DELAYS_MS of the next lookup. */
  #round = 0
  #isLooking = false

  constructor(init: DiscoveryInit) {
    this.#init = init
  }

  /** Begins to look; until `signal` fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#disarm())
    const { host, members, dialer } = this.#init
    host.addEventListener('peer:discovery', event => dialer.consider(event.detail.id), { signal })
    members.onChange((member, connected) => {
      if (connected) this.#onFound(member.peerId)
    })
    void this.#recall()
  }

  #onFound(peerId: PeerId): void {
    this.#quietly(
      this.#init.host.peerStore.merge(peerId, { tags: { [TAG]: { value: TAG_VALUE } } }),
      'tag a peer'
    )
    this.#round = 0
    if (!this.#isLooking) this.#arm()
  }

  /** Peers that were members before the last stop. */
  async #recall(): Promise<void> {
    const { host, dialer } = this.#init
    try {
      const known = await host.peerStore.all({ filters: [peer => peer.tags.has(TAG)] })
      for (const peer of known) dialer.consider(peer.id)
    } catch (error) {
      this.#init.logger.debug('cannot read known peers', { error: String(error) })
    }
  }

  #arm(): void {
    this.#disarm()
    if (this.#signal.aborted) return
    const last = LOOKUP_DELAYS_MS.length - 1
    const delay = LOOKUP_DELAYS_MS[Math.min(this.#round, last)] as number
    this.#round++
    this.#timer = setTimeout(() => void this.#look(), delay * (0.75 + Math.random() / 2))
    this.#timer.unref()
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Asks connected peers for peers near the own key. In a small swarm that is everybody. */
  async #look(): Promise<void> {
    this.#isLooking = true
    try {
      if (this.#init.dialer.wantsPeers) await this.#lookup()
    } catch (error) {
      this.#init.logger.debug('peer lookup failed', { error: String(error) })
    } finally {
      this.#isLooking = false
      this.#arm()
    }
  }

  async #lookup(): Promise<void> {
    const { host, dialer } = this.#init
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(LOOKUP_MS_MAX)])
    const key = host.peerId.toMultihash().bytes
    for await (const event of host.services.dht.getClosestPeers(key, { signal })) {
      for (const peerId of peersOf(event)) dialer.consider(peerId)
    }
  }

  #quietly(work: Promise<unknown>, what: string): void {
    work.catch(error => this.#init.logger.debug(`cannot ${what}`, { error: String(error) }))
  }
}

function peersOf(event: QueryEvent): readonly PeerId[] {
  if (event.name === 'PEER_RESPONSE') return event.closer.map(peer => peer.id)
  return event.name === 'FINAL_PEER' ? [event.peer.id] : []
}
