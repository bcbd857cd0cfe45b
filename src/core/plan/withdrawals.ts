import type { Ranks } from './branches.ts'
import type { Standing } from './source.ts'
import type { PlanChange } from './types.ts'

/** Facts that one more change takes back besides what it does itself: a few ms. */
const FACTS_MAX = 1_024

type Waiting = { readonly change: PlanChange; readonly standing: Standing }

/**
 * Changes that count no more and whose facts are still to be taken back. A fork may come last of tens of thousands of facts; so each change that
 * comes takes back some, and who reads, the rest.
 */
export class Withdrawals {
  readonly #withdraw: (change: PlanChange, standing: Standing) => void
  #waiting: Waiting[] = []

  constructor(withdraw: (change: PlanChange, standing: Standing) => void) {
    this.#withdraw = withdraw
  }

  /** What the change stated has the standing of now, whatever becomes of its sender's until it is taken back. */
  add(change: PlanChange, ranks: Ranks): void {
    this.#waiting.push({ change, standing: ranks(change) })
  }

  some(): void {
    let facts = 0
    while (facts < FACTS_MAX) {
      const next = this.#waiting.pop()
      if (next === undefined) return
      facts += next.change.facts.length
      this.#withdraw(next.change, next.standing)
    }
  }

  all(): void {
    for (const { change, standing } of this.#waiting) this.#withdraw(change, standing)
    this.#waiting = []
  }
}
