import { INFLIGHT_APPENDS_MAX } from './limits.ts'
import type { LogIndex } from './types.ts'

/**
 * What a leader knows about one follower, and how fast it may send.
 *
 * `probe`: where the logs meet is not known; one append is out at a time. `replicate`: it is known; appends are pipelined, up to
 * INFLIGHT_APPENDS_MAX of them unanswered. `snapshot`: the follower lacks entries that the leader has no more; a snapshot is on its way, and nothing
 * else is sent.
 */
export class Progress {
  /** Highest index known to be on the follower's disk and equal to ours. */
  match: LogIndex = 0
  /** First index to send next. */
  next: LogIndex
  /** Commit that the follower knows once everything sent has arrived. */
  toldCommit: LogIndex = 0
  /** Ticks since the follower was last heard of in this term. */
  silentTicks = 0
  /** An append or heartbeat is out that was not answered yet. */
  owesAnswer = false
  /** The next append goes out even without entries, to find out whether earlier ones arrived. */
  mustAsk = false
  /** Ticks since a snapshot was sent. */
  snapshotTicks = 0
  #mode: 'probe' | 'replicate' | 'snapshot' = 'probe'
  #probeSent = false
  /** Last index of each unanswered append, ascending. */
  #inflight: LogIndex[] = []

  constructor(next: LogIndex) {
    this.next = next
  }

  get mode(): 'probe' | 'replicate' | 'snapshot' {
    return this.#mode
  }

  /** No append with entries may be sent now. */
  get isPaused(): boolean {
    if (this.#mode === 'snapshot') return true
    return this.#mode === 'probe' ? this.#probeSent : this.#inflight.length >= INFLIGHT_APPENDS_MAX
  }

  /** An append that ends at `last` is on its way. */
  sent(last: LogIndex, entryCount: number): void {
    this.mustAsk = false
    this.owesAnswer = true
    if (this.#mode === 'probe') {
      this.#probeSent = true
      return
    }
    if (entryCount === 0) return
    this.next = last + 1
    this.#inflight.push(last)
  }

  /** A snapshot of everything up to `index` is on its way. */
  snapshotSent(index: LogIndex): void {
    this.#mode = 'snapshot'
    this.snapshotTicks = 0
    this.owesAnswer = true
    this.mustAsk = false
    this.next = index + 1
    this.#inflight = []
  }

  /** The follower holds everything up to `index`. */
  acknowledged(index: LogIndex): void {
    this.match = Math.max(this.match, index)
    while (this.#inflight.length > 0 && (this.#inflight[0] as LogIndex) <= this.match) {
      this.#inflight.shift()
    }
    // A late answer to an earlier probe says nothing about the one that is out.
    if (this.#mode !== 'replicate' && this.match + 1 >= this.next) this.#mode = 'replicate'
    this.next = Math.max(this.next, this.match + 1)
  }

  /** The follower refused; `retry` is the highest index where the logs may meet. An answer that is out of date changes nothing. */
  refused(retry: LogIndex): void {
    const previous = this.next - 1
    if (previous <= this.match || this.#mode === 'snapshot') return
    // An honest refusal points below what it refuses, so this one is about an earlier append.
    if (this.#mode === 'probe' && retry >= previous) return
    this.next = Math.max(this.match, Math.min(retry, previous - 1)) + 1
    this.#mode = 'probe'
    this.#probeSent = false
    this.#inflight = []
  }

  /** The follower lives. Lost appends are found out by asking again, a lost snapshot by its not being answered for `snapshotTicksMax`. */
  alive(snapshotTicksMax: number): void {
    if (this.#mode === 'snapshot' && this.snapshotTicks >= snapshotTicksMax) {
      this.#mode = 'probe'
      this.next = this.match + 1
    }
    this.#probeSent = false
    this.mustAsk = this.#mode === 'replicate' && this.match < this.next - 1
  }
}
