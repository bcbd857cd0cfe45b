import type { Standing } from './source.ts'
import type { PlanChange } from './types.ts'

/** Facts that one more change has restated besides what it does itself: a few ms. */
export const RESTATED_MAX = 1_024

/** A change whose facts are stated with a standing that is over. */
export type Restatement = {
  readonly change: PlanChange
  readonly from: Standing
  /** What it has now; null for a change that counts no more. */
  readonly to: Standing | null
}

/**
 * Facts that are still to be taken back, or stated with another standing. A fork or a certificate may come last of tens of thousands of facts;
 * so each change that comes restates some, and who reads, the rest. In order: a change may be concerned more than once.
 */
export class Restatements {
  readonly #restate: (restatement: Restatement) => void
  readonly #factsMax: number
  #waiting: Restatement[] = []
  /** How many of those are done. */
  #done = 0

  constructor(restate: (restatement: Restatement) => void, factsMax: number) {
    this.#restate = restate
    this.#factsMax = factsMax
  }

  add(restatement: Restatement): void {
    this.#waiting.push(restatement)
  }

  some(): void {
    this.#work(this.#factsMax)
  }

  all(): void {
    this.#work(Infinity)
  }

  #work(factsMax: number): void {
    for (let facts = 0; facts < factsMax; this.#done++) {
      const next = this.#waiting[this.#done]
      if (next === undefined) break
      facts += next.change.facts.length
      this.#restate(next)
    }
    if (this.#done < this.#waiting.length) return
    this.#waiting = []
    this.#done = 0
  }
}
