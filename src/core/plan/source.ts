import { compareText } from '../base/index.ts'
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
