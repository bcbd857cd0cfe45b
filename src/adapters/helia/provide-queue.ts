import type { Helia } from '@helia/interface'
import type { Libp2p } from '@libp2p/interface'
import type { CID } from '../../core/codec/index.ts'
import type { Logger } from '../../ports/index.ts'
import {
  PROVIDE_CONCURRENCY,
  PROVIDE_QUEUE_MAX,
  PROVIDE_RETRY_MS,
  PROVIDE_RETRY_MS_MAX,
  PROVIDE_TIMEOUT_MS
} from './limits.ts'

/** The DHT's own event; without it an announcement to nobody would look like a success. */
const PEER_RESPONSE = 'kad-dht:query:peer-response'

/**
 * Announces roots in the DHT, in the background: nothing waits for it and nothing fails with it. An announcement that reached no peer, as in a
 * node that has just started alone, is repeated: when a peer becomes known, or after a pause that doubles. A full queue drops the oldest root.
 */
export class ProvideQueue {
  readonly #helia: Helia
  readonly #libp2p: Libp2p
  readonly #logger: Logger
  readonly #waiting = new Map<string, CID>()
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #pauseMs = PROVIDE_RETRY_MS
  #timer: NodeJS.Timeout | undefined

  constructor(helia: Helia, libp2p: Libp2p, logger: Logger) {
    this.#helia = helia
    this.#libp2p = libp2p
    this.#logger = logger
    libp2p.addEventListener('peer:identify', this.#onPeer)
  }

  add(cid: CID): void {
    if (this.#stopping.signal.aborted) return
    this.#waiting.set(cid.toString(), cid)
    if (this.#waiting.size > PROVIDE_QUEUE_MAX) {
      const [oldest] = this.#waiting.keys()
      this.#waiting.delete(oldest as string)
      this.#logger.warn('too many artifacts wait to be announced; the oldest is dropped', {
        cid: oldest
      })
    }
    if (this.#timer === undefined) this.#work()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    this.#libp2p.removeEventListener('peer:identify', this.#onPeer)
    await Promise.all(this.#running)
  }

  #onPeer = (): void => {
    if (this.#waiting.size === 0 || this.#stopping.signal.aborted) return
    // Identify is also what fills the DHT's routing table; a moment later it is there.
    this.#pauseMs = PROVIDE_RETRY_MS
    this.#retryLater()
  }

  #work(): void {
    while (
      this.#running.size < PROVIDE_CONCURRENCY &&
      this.#waiting.size > 0 &&
      !this.#stopping.signal.aborted
    ) {
      const [oldest] = this.#waiting
      const [text, cid] = oldest as [string, CID]
      this.#waiting.delete(text)
      const job = this.#provide(cid).then(reached => {
        this.#running.delete(job)
        this.#settle(cid, reached)
      })
      this.#running.add(job)
    }
  }

  #settle(cid: CID, reached: boolean): void {
    if (this.#stopping.signal.aborted) return
    if (reached) {
      this.#pauseMs = PROVIDE_RETRY_MS
      this.#work()
      return
    }
    if (!this.#waiting.has(cid.toString())) this.#waiting.set(cid.toString(), cid)
    if (this.#timer === undefined) this.#retryLater()
  }

  #retryLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#work()
    }, this.#pauseMs)
    // An announcement never keeps the process alive.
    this.#timer.unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, PROVIDE_RETRY_MS_MAX)
  }

  /** Whether at least one peer took the record. */
  async #provide(cid: CID): Promise<boolean> {
    if (this.#libp2p.getPeers().length === 0) return false
    let taken = 0
    try {
      const signal = AbortSignal.any([
        this.#stopping.signal,
        AbortSignal.timeout(PROVIDE_TIMEOUT_MS)
      ])
      await this.#helia.routing.provide(cid, {
        signal,
        onProgress: event => {
          if (isTaken(event)) taken += 1
        }
      })
    } catch (error) {
      this.#logger.debug('an artifact could not be announced yet', {
        cid: cid.toString(),
        error: (error as Error).message
      })
    }
    return taken > 0
  }
}

/** Helia types only its own events, and passes on those of the DHT. */
function isTaken(event: { readonly type: string; readonly detail?: unknown }): boolean {
  const { messageType } = (event.detail ?? {}) as { messageType?: string }
  return event.type === PEER_RESPONSE && messageType === 'ADD_PROVIDER'
}
