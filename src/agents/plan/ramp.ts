/**
 * How many bids of one kind are open at once: one at first, then one more than were decided. Workers bid by what they already do, so
 * NEEDs that were all stated in the same moment would all look free to the same worker.
 */
export class Ramp {
  readonly #waiting: (() => void)[] = []
  #open = 0
  #decided = 0

  /** Resolves when the next may be stated; the caller then calls `decided` once. */
  async enter(): Promise<void> {
    if (this.#open > this.#decided) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#open += 1
  }

  /** The one that was stated has its worker, or never will. */
  decided(): void {
    this.#open -= 1
    this.#decided += 1
    while (this.#open <= this.#decided) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#open += 1
      next()
    }
  }
}
