import { compareText } from '../base/index.ts'
import type { PlanChange } from './types.ts'

/** Where a fact was said: an envelope, and the fact's position in it. */
export type Source = {
  readonly envelope: string
  readonly sender: string
  readonly lamport: number
  readonly position: number
}

/** The source of the fact at a position. */
export function sourceOf(change: PlanChange, position: number): Source {
  const { envelope, sender, lamport } = change
  return { envelope, sender, lamport, position }
}

/** The total order that settles every conflict of the plan: lamport, sender, envelope, position. */
export function compareSource(a: Source, b: Source): number {
  return (
    a.lamport - b.lamport ||
    compareText(a.sender, b.sender) ||
    compareText(a.envelope, b.envelope) ||
    a.position - b.position
  )
}

/** The same order for whole changes. */
export function compareChanges(a: PlanChange, b: PlanChange): number {
  return compareSource(sourceOf(a, 0), sourceOf(b, 0))
}
