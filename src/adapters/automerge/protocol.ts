import type { PlanEntry, PlanSession } from '../../ports/index.ts'

/**
 * Messages between the store and its worker thread, handled in order, one answer each.
 */
export type WorkerRequest =
  /** Adds envelopes to a document that is there. */
  | { readonly kind: 'apply'; readonly thread: string; readonly entries: readonly PlanEntry[] }
  /** Some of all the envelopes that are known of a thread: the first ones begin a document, which is there when the last ones have come. */
  | {
      readonly kind: 'fold'
      readonly thread: string
      readonly entries: readonly PlanEntry[]
      readonly isFirst: boolean
      readonly isLast: boolean
    }
  | { readonly kind: 'view'; readonly thread: string }
  | { readonly kind: 'save'; readonly thread: string }
  /** Reads a sync message of a peer. */
  | {
      readonly kind: 'hear'
      readonly thread: string
      readonly peer: string
      readonly message: Uint8Array
    }
  /** The envelopes of the oldest message of a peer that was heard have been judged. */
  | { readonly kind: 'judged'; readonly thread: string; readonly peer: string }
  /** Makes the next sync message to a peer. */
  | { readonly kind: 'say'; readonly thread: string; readonly peer: string }
  /** Frees the document, if there is one. */
  | { readonly kind: 'drop'; readonly thread: string }
  /** What was sent to a peer may not have come. */
  | { readonly kind: 'reopen'; readonly thread: null; readonly peer: string }
  /** A peer has left. */
  | { readonly kind: 'forget'; readonly thread: null; readonly peer: string }

export type WorkerAnswer =
  | { readonly kind: 'applied' }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'reopened' }
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'noted' }
  | {
      readonly kind: 'viewed'
      readonly heads: readonly string[]
      readonly envelopes: readonly string[]
    }
  | { readonly kind: 'saved'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'heard'
      readonly lie: string | null
      readonly envelopes: readonly Uint8Array[]
      readonly forks: readonly PlanSession[]
      readonly compared: number
    }
  | { readonly kind: 'said'; readonly message: Uint8Array | null; readonly more: boolean }
  /** There is no document of the thread: fold it first. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly why: string }

/** What a new thread is told. */
export type WorkerData = { readonly documentsMax: number }
