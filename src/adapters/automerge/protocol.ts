/**
 * Messages between the store and its worker thread, handled in order, one answer each. Facts travel as their canonical bytes.
 */
export type WorkerRequest =
  /** Adds changes to a document that is there. */
  | { readonly kind: 'apply'; readonly thread: string; readonly changes: readonly EncodedChange[] }
  /** Adds all changes that are known of a thread; makes the document where there is none. */
  | { readonly kind: 'fold'; readonly thread: string; readonly changes: readonly EncodedChange[] }
  | { readonly kind: 'view'; readonly thread: string }
  | { readonly kind: 'save'; readonly thread: string }
  /** Frees the document, if there is one. */
  | { readonly kind: 'drop'; readonly thread: string }

/** One envelope's facts, each as the canonical bytes that the document holds. */
export type EncodedChange = { readonly envelope: string; readonly facts: readonly Uint8Array[] }

export type WorkerAnswer =
  | { readonly kind: 'applied' }
  | { readonly kind: 'dropped' }
  /** Would pass the limit of facts; the document is as before. */
  | { readonly kind: 'too-large' }
  | {
      readonly kind: 'viewed'
      readonly heads: readonly string[]
      readonly changes: readonly EncodedChange[]
    }
  | { readonly kind: 'saved'; readonly bytes: Uint8Array }
  /** There is no document of the thread: fold it first. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly why: string }

/** What a new thread is told. */
export type WorkerData = { readonly documentsMax: number }
