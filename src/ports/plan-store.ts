import type { PlanEntry, PlanSession } from '../core/plan/index.ts'

export type { PlanEntry, PlanSession }

/** What a sync message of a peer was. */
export type HeardPlan = {
  /** What no honest peer sends, or null. Then nothing of the message counts. */
  readonly lie: string | null
  /** Envelopes that the document does not have, in order. They still have to pass the door (R4). */
  readonly envelopes: readonly Uint8Array[]
  /** Sessions that are forked here and that the peer is to be shown both sides of, first those of which it has one side. */
  readonly forks: readonly PlanSession[]
  /** Changes that the document does not have and that were compared with those of their envelopes, whatever came of it. */
  readonly compared: number
  /** Envelopes that had to be put together for it into a document that was not in memory. */
  readonly folded: number
}

/** What is to be sent to a peer. */
export type SaidPlan = {
  /** Null when there is nothing new to say. */
  readonly message: Uint8Array | null
  /** Something is left for one more message. */
  readonly more: boolean
}

/** The shared plan as one Automerge document per thread, in a worker. A fold over admitted envelopes: it can always be rebuilt. */
export interface PlanStore {
  start(): Promise<void>
  stop(): Promise<void>
  /** Idempotent per (thread, envelope). */
  apply(thread: string, entry: PlanEntry): Promise<void>
  /** Automerge heads (hex, sorted) and the envelopes in the document. Equal envelopes in, equal heads out, in any order. */
  view(
    thread: string
  ): Promise<{ readonly heads: readonly string[]; readonly envelopes: readonly string[] }>
  /** Lets go of a thread's document; it is folded again when it is asked for. */
  drop(thread: string): Promise<void>
  /** Automerge's own saved bytes. */
  save(thread: string): Promise<Uint8Array>
  /** Reads a sync message of a peer about a thread. Changes no document. */
  hear(thread: string, peer: string, message: Uint8Array): Promise<HeardPlan>
  /** The envelopes of the oldest message of a peer that was heard have been judged: what was not accepted may be asked for again. */
  judged(thread: string, peer: string): Promise<void>
  /** The next sync message to a peer about a thread, after everything that was applied. */
  say(thread: string, peer: string): Promise<SaidPlan>
  /** What was sent to a peer may not have come: its stream has ended. */
  reopen(peer: string): Promise<void>
  /** A peer has left: nothing of the talk with it is kept. */
  forget(peer: string): Promise<void>
}
