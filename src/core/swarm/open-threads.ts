import { OPEN_THREADS_PER_REQUESTER_MAX } from '../base/index.ts'
import { Interval } from './interval.ts'
import type { Thread } from './thread.ts'

/** Between two warnings about NEEDs that are not followed, in ms: a flood of NEEDs must not become a flood of warnings. */
const WARNINGS_MS = 10_000

/** How many threads each requester has open here. Threads that ended are noticed when a requester has come to its limit, not before. */
export class OpenThreads {
  readonly #threads = new Map<string, Set<Thread>>()
  readonly #warnings = new Interval(WARNINGS_MS)

  add(thread: Thread): void {
    const { sender } = thread.need.envelope
    const known = this.#threads.get(sender)
    if (known === undefined) this.#threads.set(sender, new Set([thread]))
    else known.add(thread)
  }

  remove(thread: Thread): void {
    const { sender } = thread.need.envelope
    const known = this.#threads.get(sender)
    known?.delete(thread)
    if (known?.size === 0) this.#threads.delete(sender)
  }

  /** Whether the requester may have one more. */
  hasRoomFor(requester: string): boolean {
    const threads = this.#threads.get(requester)
    if (threads === undefined || threads.size < OPEN_THREADS_PER_REQUESTER_MAX) return true
    for (const thread of threads) if (thread.isEnded()) threads.delete(thread)
    return threads.size < OPEN_THREADS_PER_REQUESTER_MAX
  }

  /** Whether it is time to warn again. */
  maySayNo(nowMs: number): boolean {
    return this.#warnings.allows('', nowMs)
  }
}
