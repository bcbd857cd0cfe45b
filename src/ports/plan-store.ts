import type { PlanChange } from '../core/plan/index.ts'

export type { PlanChange }

/** The shared plan as one Automerge document per thread, in a worker. A fold over admitted envelopes: it can always be rebuilt. */
export interface PlanStore {
  start(): Promise<void>
  stop(): Promise<void>
  /** Idempotent per (thread, envelope). */
  apply(thread: string, change: PlanChange): Promise<void>
  /** Automerge heads (hex, sorted) and every fact with its source. Equal facts in, equal heads out, in any order. */
  view(
    thread: string
  ): Promise<{ readonly heads: readonly string[]; readonly changes: readonly PlanChange[] }>
  /** Lets go of a thread's document; it is folded again when it is asked for. */
  drop(thread: string): Promise<void>
  /** Automerge's own saved bytes. */
  save(thread: string): Promise<Uint8Array>
}
