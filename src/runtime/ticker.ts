import type { Clock } from '../ports/index.ts'

/** Calls `tick` after the wanted interval, one at a time: the next is armed only when the driver has stepped the last. */
export class Ticker {
  readonly #clock: Clock
  readonly #tick: () => void
  #cancel: (() => void) | undefined
  #dueMs = 0
  #isStopped = false
  /** A tick was given and not yet stepped. */
  #isOut = false

  constructor(clock: Clock, tick: () => void) {
    this.#clock = clock
    this.#tick = tick
  }

  /** Makes sure that a tick comes within `intervalMs`. An earlier tick replaces a later one, never the other way round. */
  arm(intervalMs: number): void {
    if (this.#isStopped || this.#isOut) return
    const dueMs = this.#clock.nowMs() + intervalMs
    if (this.#cancel !== undefined && this.#dueMs <= dueMs) return
    this.#cancel?.()
    this.#dueMs = dueMs
    this.#cancel = this.#clock.after(intervalMs, () => {
      this.#cancel = undefined
      this.#isOut = true
      this.#tick()
    })
  }

  /** The tick that was given has been stepped. */
  done(): void {
    this.#isOut = false
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
    this.#cancel = undefined
  }
}
