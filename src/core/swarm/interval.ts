import { SparseMap } from '../base/index.ts'

/** Peers whose last time is remembered; forgetting all of them now and then costs little. */
const PEERS_MAX = 256

/** Lets each peer have something done once in an interval (ms). */
export class Interval {
  readonly #ms: number
  readonly #last = new SparseMap<string, number>()

  constructor(ms: number) {
    this.#ms = ms
  }

  /** False when the peer was here less than the interval ago. */
  allows(peer: string, nowMs: number): boolean {
    const last = this.#last.get(peer)
    if (last !== undefined && nowMs - last < this.#ms && nowMs >= last) return false
    if (this.#last.size >= PEERS_MAX) this.#last.clear()
    this.#last.set(peer, nowMs)
    return true
  }
}
