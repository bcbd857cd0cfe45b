/**
 * Questions between authenticated peers, one stream for each: for what is too large or too rare for direct messages. Bytes on both
 * sides; what they mean is for who asks and answers.
 */
export interface Exchange {
  /** Rejects when the peer cannot be reached, does not answer in time, or answers nothing, and once `signal` aborts. */
  ask(did: string, question: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>
  /** Who answers; a rejection leaves the question without an answer. Null: nobody does. `signal` aborts when nobody waits for the answer any more. */
  onAsk(
    answer:
      | ((from: string, question: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>)
      | null
  ): void
}
