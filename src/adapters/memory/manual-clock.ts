import { assert } from '../../core/base/index.ts'
import type { Clock } from '../../ports/index.ts'

type Timer = { dueMs: number; readonly order: number; readonly callback: () => void }

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #timers = new Set<Timer>()

  /** Starts at a fixed instant, so that runs are equal. */
  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order++, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size
  }

  /**
   * Lets `ms` pass: fires what falls due on the way, in order of time, then of setting, each at its own time. Timers set by a
   * callback fire in the same call when they fall due within it.
   */
  advance(ms: number): void {
    assert(ms >= 0, 'time goes forward; use jump to set the clock back')
    const untilMs = this.#nowMs + ms
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.callback()
    }
    this.#nowMs = untilMs
  }

  /** Sets the clock, also back, without firing anything: what a person or NTP does. Timers wait as long as before. */
  jump(nowMs: number): void {
    const shiftMs = nowMs - this.#nowMs
    this.#nowMs = nowMs
    for (const timer of this.#timers) timer.dueMs += shiftMs
  }

  #nextDue(untilMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue
      if (
        next === undefined ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.order < next.order)
      ) {
        next = timer
      }
    }
    return next
  }
}

/** A `ManualClock`, under the name pattern of the other factories. */
export function manualClock(nowMs?: number): ManualClock {
  return new ManualClock(nowMs)
}
