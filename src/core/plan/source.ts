import { assert, compareText } from '../base/index.ts'
import type { PlanChange } from './types.ts'

/**
 * Whose word goes first where only one can count. A stranger can choose its clock value, but not its standing: what requester and decided
 * worker say is not overruled from outside, whenever it comes.
 */
export const STANDING = {
  /** Certificates, the NEED, the requester, the decided worker. */
  insider: 0,
  stranger: 1,
  /** Of a branch that lost. */
  orphaned: 2
} as const

export type Standing = (typeof STANDING)[keyof typeof STANDING]

/** Where a fact was said: an envelope, and the fact's position in it. */
export type Source = {
  readonly standing: Standing
  readonly lamport: number
  readonly sender: string
  readonly envelope: string
  readonly position: number
}

/** A value with its source. */
export type Stated<T> = { readonly value: T; readonly source: Source }

/** The total order that settles every conflict of the plan: standing, lamport, sender, envelope, position. */
export function compareSource(a: Source, b: Source): number {
  return a.standing - b.standing || compareSaid(a, b)
}

/** The order in which notes win: of equal standing, the last one. */
export function compareLatest(a: Source, b: Source): number {
  return a.standing - b.standing || compareSaid(b, a)
}

function compareSaid(a: Source, b: Source): number {
  return (
    a.lamport - b.lamport ||
    compareText(a.sender, b.sender) ||
    compareText(a.envelope, b.envelope) ||
    a.position - b.position
  )
}

/** An order of whole changes that is the same everywhere: lamport, sender, envelope. */
export function compareChanges(a: PlanChange, b: PlanChange): number {
  return (
    a.lamport - b.lamport || compareText(a.sender, b.sender) || compareText(a.envelope, b.envelope)
  )
}

type Order<T> = (a: Stated<T>, b: Stated<T>) => number

/** Puts a statement in its place among others about the same thing; the first one counts. */
export function insert<T>(all: Stated<T>[], one: Stated<T>, compare: Order<T>): void {
  all.splice(placeOf(all, one, compare), 0, one)
}

/** Takes a statement back that was inserted by the same order. */
export function withdraw<T>(all: Stated<T>[], one: Stated<T>, compare: Order<T>): void {
  const at = placeOf(all, one, compare)
  const there = all[at]
  assert(there !== undefined && compare(there, one) === 0, 'what is withdrawn was stated')
  all.splice(at, 1)
}

/** Before how many others it stands, by bisection: one sender may state the same thing ten thousand times. */
function placeOf<T>(all: readonly Stated<T>[], one: Stated<T>, compare: Order<T>): number {
  let from = 0
  let to = all.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (compare(all[middle] as Stated<T>, one) < 0) from = middle + 1
    else to = middle
  }
  return from
}
