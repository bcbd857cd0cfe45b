import type { Connection, PeerId } from '@libp2p/interface'
import type { Logger } from '../../ports/index.ts'
import type { Host } from './host.ts'
import { MUTE_MS_MAX, RESET_MS_MAX, RESET_MS_MIN, WATCH_INTERVAL_MS } from './limits.ts'
import type { Members } from './members.ts'

/** What the watchdog looks at. */
export type WatchdogInit = {
  readonly host: Host
  readonly members: Members
  readonly logger: Logger
}

type Resets = { count: number; nextAt: number }

/**
 * Finds peers that are connected but mute: their gossip stream closed and nobody opens it again (js-libp2p#3531), or
 * they never said who they are. Their connections are closed; the dialer then dials them afresh.
 */
export class Watchdog {
  readonly #init: WatchdogInit
  /** Since when a connected peer is mute, by peer id. */
  readonly #mute = new Map<string, number>()
  readonly #resets = new Map<string, Resets>()

  constructor(init: WatchdogInit) {
    this.#init = init
  }

  /** Begins to watch; until `signal` fires. */
  start(signal: AbortSignal): void {
    const timer = setInterval(() => this.check(Date.now()), WATCH_INTERVAL_MS)
    timer.unref()
    signal.addEventListener('abort', () => clearInterval(timer))
  }

  /** One look at all connections; `nowMs` for tests. */
  check(nowMs: number): void {
    const seen = new Set<string>()
    for (const peerId of this.#init.host.getPeers()) {
      const key = peerId.toString()
      if (!this.#isMute(peerId)) continue
      seen.add(key)
      const since = this.#mute.get(key) ?? nowMs
      this.#mute.set(key, since)
      if (nowMs - since >= MUTE_MS_MAX) this.#reset(peerId, nowMs)
    }
    for (const key of this.#mute.keys()) if (!seen.has(key)) this.#mute.delete(key)
    for (const [key, resets] of this.#resets) {
      if (nowMs > resets.nextAt + RESET_MS_MAX) this.#resets.delete(key)
    }
  }

  #isMute(peerId: PeerId): boolean {
    const { host, members } = this.#init
    if (members.get(peerId) !== undefined) return !host.getConnections(peerId).some(hasGossipStream)
    return !members.isIdentified(peerId)
  }

  #reset(peerId: PeerId, nowMs: number): void {
    const key = peerId.toString()
    const resets = this.#resets.get(key) ?? { count: 0, nextAt: 0 }
    if (nowMs < resets.nextAt) return
    resets.nextAt = nowMs + Math.min(RESET_MS_MIN * 2 ** resets.count, RESET_MS_MAX)
    resets.count++
    this.#resets.set(key, resets)
    this.#mute.delete(key)
    this.#init.logger.debug('closing a mute connection', { peer: key })
    this.#init.host.hangUp(peerId).catch(error => {
      this.#init.logger.debug('cannot close a mute connection', { peer: key, error: String(error) })
    })
  }
}

function hasGossipStream(connection: Connection): boolean {
  return connection.streams.some(
    stream =>
      stream.direction === 'outbound' &&
      stream.status === 'open' &&
      stream.protocol.startsWith('/meshsub/')
  )
}
