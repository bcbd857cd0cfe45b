import { assert } from '../base/index.ts'
import type { Stated } from './source.ts'

/** Statements of one run. Longer ones are halved: what is put between others moves no more than these. */
const RUN_MAX = 512

type Order<T> = (a: Stated<T>, b: Stated<T>) => number

/**
 * What was said about one thing, in an order; the first one counts. Hundreds of thousands may say the same, and a fork takes back tens of
 * thousands of them at once: so they stand in short runs, and each is put in its place and taken out of it in a few steps.
 */
export class Statements<T> {
  /** Each in order and not empty, and so are the runs. */
  readonly #runs: Stated<T>[][] = []

  isEmpty(): boolean {
    return this.#runs.length === 0
  }

  /** The one that counts. */
  first(): Stated<T> | undefined {
    return this.#runs[0]?.[0]
  }

  insert(one: Stated<T>, compare: Order<T>): void {
    const at = Math.min(this.#runOf(one, compare), Math.max(0, this.#runs.length - 1))
    const run = this.#runs[at]
    if (run === undefined) this.#runs.push([one])
    else {
      run.splice(placeOf(run, one, compare), 0, one)
      if (run.length > RUN_MAX) this.#runs.splice(at + 1, 0, run.splice(RUN_MAX / 2))
    }
  }

  /** Takes back what was inserted by the same order. */
  withdraw(one: Stated<T>, compare: Order<T>): void {
    const at = this.#runOf(one, compare)
    const run = this.#runs[at] ?? []
    const place = placeOf(run, one, compare)
    const there = run[place]
    assert(there !== undefined && compare(there, one) === 0, 'what is withdrawn was stated')
    run.splice(place, 1)
    if (run.length === 0) this.#runs.splice(at, 1)
  }

  /** The first run that does not end before it; behind all of them when each does. */
  #runOf(one: Stated<T>, compare: Order<T>): number {
    return firstWhere(this.#runs, run => compare(run.at(-1) as Stated<T>, one) >= 0)
  }
}

function placeOf<T>(run: readonly Stated<T>[], one: Stated<T>, compare: Order<T>): number {
  return firstWhere(run, other => compare(other, one) >= 0)
}

/** By bisection: the first of which something is true that is true of all after it; their number when it is true of none. */
function firstWhere<T>(all: readonly T[], isTrue: (one: T) => boolean): number {
  let from = 0
  let to = all.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (isTrue(all[middle] as T)) to = middle
    else from = middle + 1
  }
  return from
}
