import type { Connection, PeerId } from '@libp2p/interface'
import type { Logger } from '../../ports/index.ts'
import type { PeerAddress } from './address.ts'
import { PeerUnreachableError, reasonOf, WrongNetworkError } from './errors.ts'
import type { Host } from './host.ts'
import {
  CANDIDATE_ATTEMPTS_MAX,
  CANDIDATES_MAX,
  DIAL_MS_MAX,
  DIALS_MAX,
  IDENTIFY_MS_MAX,
  LOST_PEER_MS_MAX,
  PEERS_SOUGHT_MAX,
  REDIAL_MS_MAX,
  REDIAL_MS_MIN
} from './limits.ts'
import type { Member, Members } from './members.ts'

/** What dialling needs. */
export type DialerInit = {
  readonly host: Host
  readonly members: Members
  readonly networkName: string
  /** Peers that this node dials by itself. */
  readonly peersWanted: number
  readonly logger: Logger
}

/** Somebody to be connected to. */
type Target = {
  /** Addresses that a user named: these targets are kept for ever. */
  readonly named: PeerAddress | null
  peerId: PeerId | null
  /** Was a member once, so it is worth more attempts than a rumour. */
  readonly wasMember: boolean
  attempts: number
  /** When the outage began; null while nothing has failed. */
  failingSince: number | null
  nextAt: number
  isDialing: boolean
}

/**
 * Keeps the node connected: to named addresses for ever, to lost peers for a while, and to discovered peers until
 * `peersWanted` are there. One list, one timer, at most DIALS_MAX dials at once.
 */
export class Dialer {
  readonly #init: DialerInit
  /** By peer id, or by address while the peer id is not known. */
  readonly #targets = new Map<string, Target>()
  #timer: NodeJS.Timeout | null = null
  #signal = AbortSignal.abort()

  constructor(init: DialerInit) {
    this.#init = init
  }

  /** Begins to dial; until `signal` fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#disarm())
    this.#init.members.onChange((member, connected) => {
      if (connected) this.#onFound(member)
      else this.#onLost(member)
    })
  }

  /** Whether more peers are wanted than are connected. */
  get wantsPeers(): boolean {
    return this.#init.members.all().length < this.#init.peersWanted
  }

  /** Keeps this address connected for ever. Failures are warned of once per outage. */
  keep(address: PeerAddress): void {
    this.#addNamed(address)
    this.#arm()
  }

  /** Dials now; keeps the address when that works, else rejects with PeerUnreachableError or WrongNetworkError. */
  async join(address: PeerAddress): Promise<void> {
    const known = this.#targets.get(keyOf(address))
    const peerId = await this.#connect(address.peerId, address, this.#signal)
    if (known?.named == null) this.#addNamed({ ...address, peerId })
    const target = this.#targets.get(peerId.toString())
    if (target !== undefined) this.#settle(target)
  }

  /** Somebody heard of this peer. Dialled when more peers are wanted. */
  consider(peerId: PeerId): void {
    this.#hear(peerId, this.#init.peersWanted)
  }

  /** Somebody said that this peer is of use now. Dialled although enough others are there. */
  seek(peerId: PeerId): void {
    this.#hear(peerId, PEERS_SOUGHT_MAX)
  }

  #hear(peerId: PeerId, peersMax: number): void {
    const { host, members } = this.#init
    if (this.#signal.aborted || peerId.equals(host.peerId) || members.get(peerId) !== undefined)
      return
    if (this.#targets.has(peerId.toString()) || !this.#hasRoom(peersMax)) return
    this.#add({ named: null, peerId, wasMember: false })
    this.#arm()
  }

  #hasRoom(peersMax: number): boolean {
    let pending = 0
    for (const target of this.#targets.values()) if (target.named === null) pending++
    return pending < CANDIDATES_MAX && this.#init.members.all().length + pending < peersMax
  }

  #addNamed(address: PeerAddress): void {
    const key = keyOf(address)
    if (this.#targets.get(key)?.named != null) return
    this.#targets.delete(key)
    this.#add({ named: address, peerId: address.peerId, wasMember: false })
  }

  #add(start: Pick<Target, 'named' | 'peerId' | 'wasMember'>, delayMs = 0): void {
    const key = start.named === null ? String(start.peerId) : keyOf(start.named)
    const nextAt = Date.now() + delayMs
    this.#targets.set(key, { ...start, attempts: 0, failingSince: null, nextAt, isDialing: false })
  }

  #onFound(member: Member): void {
    const target = this.#targets.get(member.peerId.toString())
    if (target !== undefined) this.#settle(target)
  }

  #onLost(member: Member): void {
    if (this.#signal.aborted) return
    const { host } = this.#init
    // Both sides notice the loss at the same time. The one with the lower id dials first, so that one connection comes of it.
    const isFirst = host.peerId.toString() < member.peerId.toString()
    const delayMs = isFirst ? REDIAL_MS_MIN / 4 : REDIAL_MS_MIN * 2
    const target = this.#targets.get(member.peerId.toString())
    if (target !== undefined) target.nextAt = Date.now() + delayMs
    else if (this.#hasRoom(this.#init.peersWanted)) {
      this.#add({ named: null, peerId: member.peerId, wasMember: true }, delayMs)
    }
    this.#arm()
  }

  /** The target is connected: named ones rest until it is lost, others are no longer needed. */
  #settle(target: Target): void {
    if (target.named === null) this.#targets.delete(String(target.peerId))
    else if (target.failingSince !== null) {
      this.#init.logger.info('peer is reachable again', { address: target.named.text })
    }
    target.attempts = 0
    target.failingSince = null
    target.nextAt = Number.POSITIVE_INFINITY
    this.#arm()
  }

  #arm(): void {
    this.#disarm()
    if (this.#signal.aborted) return
    let earliest = Number.POSITIVE_INFINITY
    let dialing = 0
    for (const target of this.#targets.values()) {
      if (target.isDialing) dialing++
      else earliest = Math.min(earliest, target.nextAt)
    }
    if (dialing >= DIALS_MAX || earliest === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => this.#dialDue(), Math.max(0, earliest - Date.now()))
    this.#timer.unref()
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #dialDue(): void {
    const now = Date.now()
    const targets = [...this.#targets.values()]
    let free = DIALS_MAX - targets.filter(target => target.isDialing).length
    for (const target of targets) {
      if (free === 0) break
      if (target.isDialing || target.nextAt > now) continue
      free--
      void this.#attempt(target)
    }
    this.#arm()
  }

  /** Never rejects. */
  async #attempt(target: Target): Promise<void> {
    target.isDialing = true
    target.attempts++
    try {
      const peerId = await this.#connect(target.peerId, target.named, this.#signal)
      target.peerId = peerId
      this.#rename(target)
      this.#settle(target)
    } catch (error) {
      this.#onFailure(target, error)
    } finally {
      target.isDialing = false
      this.#arm()
    }
  }

  /** A named address has shown whose it is: from now on that peer is the target, wherever it moves. */
  #rename(target: Target): void {
    if (target.named === null || target.named.peerId !== null) return
    const key = String(target.peerId)
    this.#targets.delete(keyOf(target.named))
    this.#targets.set(key, target)
  }

  #onFailure(target: Target, error: unknown): void {
    if (this.#signal.aborted) return
    const now = Date.now()
    const { logger } = this.#init
    if (target.failingSince === null) {
      target.failingSince = now
      if (target.named !== null) {
        logger.warn(`${(error as Error).message}; this node keeps trying`, {
          address: target.named.text
        })
      }
    }
    logger.debug('dial failed', {
      peer: String(target.peerId),
      attempt: target.attempts,
      error: String(error)
    })
    const outageMs = now - target.failingSince
    if (isHopeless(target, outageMs)) this.#targets.delete(String(target.peerId))
    target.nextAt = now + redialDelayMs(outageMs)
  }

  /** Dials and waits until the peer has shown that it is of this swarm. */
  async #connect(
    peerId: PeerId | null,
    named: PeerAddress | null,
    signal: AbortSignal
  ): Promise<PeerId> {
    const { host } = this.#init
    const label = named?.text ?? String(peerId)
    const timed = AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS_MAX)])
    let connection: Connection
    try {
      if (peerId !== null && named !== null) {
        await host.peerStore.merge(peerId, { multiaddrs: [named.multiaddr] })
      }
      connection = await host.dial(peerId ?? (named as PeerAddress).multiaddr, { signal: timed })
    } catch (error) {
      throw new PeerUnreachableError(label, reasonOf(error), error)
    }
    await this.#whenMember(connection.remotePeer, label, signal)
    return connection.remotePeer
  }

  #whenMember(peerId: PeerId, label: string, signal: AbortSignal): Promise<void> {
    const { host, members, networkName } = this.#init
    if (members.get(peerId) !== undefined) return Promise.resolve()
    if (members.isIdentified(peerId))
      return Promise.reject(new WrongNetworkError(label, networkName))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const end = new AbortController()
    const timed = AbortSignal.any([signal, AbortSignal.timeout(IDENTIFY_MS_MAX)])
    const check = () => {
      if (members.get(peerId) !== undefined) resolve()
      else if (members.isIdentified(peerId)) reject(new WrongNetworkError(label, networkName))
    }
    host.addEventListener('peer:identify', check, { signal: end.signal })
    timed.addEventListener(
      'abort',
      () => reject(new PeerUnreachableError(label, 'no answer in time')),
      {
        signal: end.signal
      }
    )
    return promise.finally(() => end.abort())
  }
}

/** A tenth of the outage so far, within bounds, with a quarter of jitter so that a swarm does not redial in step. */
export function redialDelayMs(outageMs: number, random: number = Math.random()): number {
  const delay = Math.min(Math.max(outageMs / 10, REDIAL_MS_MIN), REDIAL_MS_MAX)
  return delay * (0.75 + random / 2)
}

function isHopeless(target: Target, outageMs: number): boolean {
  if (target.named !== null) return false
  return target.wasMember ? outageMs > LOST_PEER_MS_MAX : target.attempts >= CANDIDATE_ATTEMPTS_MAX
}

function keyOf(address: PeerAddress): string {
  return address.peerId?.toString() ?? address.text
}
