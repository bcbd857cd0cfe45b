import type { Clock } from '../ports/index.ts'

/**
 * Envelopes of peers that come to the door in one turn of the event loop, their bytes, and ms after which the turn is over: mostly each takes a
 * fraction of one, but three where its author is new here.
 */
const TURN_ENVELOPES_MAX = 32
const TURN_BYTES_MAX: number = 256 * 1024
const TURN_MS_MAX = 8
/** Envelopes of one peer that wait for their turn, and their bytes: an answer to a pull several times over. */
const PEER_ENVELOPES_MAX = 8_192
const PEER_BYTES_MAX: number = 8 * 1024 * 1024
/** Bytes of all envelopes that wait for their turn. */
const WAITING_BYTES_MAX: number = 64 * 1024 * 1024

type Waiting = { readonly bytes: number; readonly begin: () => void }
type Own = { readonly queue: Waiting[]; bytes: number }

/**
 * One message may have a thousand envelopes, each of which costs a signature and more: they come to the door a few at a time, so that sockets
 * and timers have their turn between, and of each peer one after the other, so that none waits behind what another sends.
 */
export class Turns {
  readonly #clock: Clock
  /** By peer; the next one comes first. */
  readonly #peers = new Map<string, Own>()
  #bytes = 0
  /** What has begun in this turn; null before anything has. */
  #turn: { count: number; bytes: number; readonly atMs: number } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins work about so many bytes of a peer when it is its turn; null when too much waits. Work that fails rejects. */
  run<T>(peer: string, bytes: number, work: () => Promise<T>): Promise<T> | null {
    if (this.#peers.size === 0 && this.#hasRoom()) return this.#begin(bytes, work)
    const own = this.#peers.get(peer) ?? { queue: [], bytes: 0 }
    const isFull = own.queue.length >= PEER_ENVELOPES_MAX || own.bytes + bytes > PEER_BYTES_MAX
    if (isFull || this.#bytes + bytes > WAITING_BYTES_MAX) return null
    this.#peers.set(peer, own)
    own.bytes += bytes
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      const begin = (): void => void this.#begin(bytes, work).then(resolve, reject)
      own.queue.push({ bytes, begin })
    })
  }

  #begin<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#turn === null) {
      this.#turn = { count: 0, bytes: 0, atMs: this.#clock.nowMs() }
      setImmediate(() => this.#next())
    }
    this.#turn.count += 1
    this.#turn.bytes += bytes
    return work()
  }

  /** The next turn. */
  #next(): void {
    this.#turn = null
    for (const [peer, own] of this.#peers) {
      if (!this.#hasRoom()) return
      this.#peers.delete(peer)
      const next = own.queue.shift()
      if (next === undefined) continue
      own.bytes -= next.bytes
      this.#bytes -= next.bytes
      // Behind the others; this loop comes to it again.
      if (own.queue.length > 0) this.#peers.set(peer, own)
      next.begin()
    }
  }

  #hasRoom(): boolean {
    if (this.#turn === null) return true
    const { count, bytes, atMs } = this.#turn
    const isFull = count >= TURN_ENVELOPES_MAX || bytes >= TURN_BYTES_MAX
    return !isFull && this.#clock.nowMs() - atMs < TURN_MS_MAX
  }
}
