import type { Clock } from '../ports/index.ts'

/** Calls `tick` after the wanted interval, one at a time: the next is armed only when the driver has stepped the last. */
export class Ticker {
  readonly #clock: Clock
  readonly #tick: () => void
  #cancel: (() => void) | undefined
  #armedMs = 0
  #isStopped = false
  /** A tick was given and not yet stepped. */
  #isOut = false

  constructor(clock: Clock, tick: () => void) {
    this.#clock = clock
    this.#tick = tick
  }

  /** Makes sure that a tick comes within `intervalMs`. A shorter wait replaces a longer one, never the other way round. */
  arm(intervalMs: number): void {
    if (this.#isStopped || this.#isOut) return
    if (this.#cancel !== undefined && this.#armedMs <= intervalMs) return
    this.#cancel?.()
    this.#armedMs = intervalMs
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
