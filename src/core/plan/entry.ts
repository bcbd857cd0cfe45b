import type { Admitted, Payload } from '../envelope/index.ts'
import type { PlanChain } from './types.ts'

/** An envelope as an entry of its thread's plan document. */
export type PlanEntry = {
  /** Text CID of the envelope. */
  readonly envelope: string
  /** The complete signed bytes. */
  readonly bytes: Uint8Array
  /** DID of the signer. */
  readonly sender: string
  /** Where an UPDATE_PLAN stands among its sender's; null for other verbs. */
  readonly chain: PlanChain | null
  /** Facts that it states, as its session's quota counts them; 0 for other verbs. */
  readonly facts: number
}

/**
 * The entry of an envelope in the plan of a thread, or null where it has none. Only of what states facts by itself: of a decision and an
 * outcome each node may hold another certificate, so these have no place in a document that is to be the same everywhere (SYNC-1).
 */
export function planEntryOf(thread: string, { id, bytes, envelope }: Admitted): PlanEntry | null {
  const { verb, sender } = envelope
  const isHere = verb === 'NEED' ? id === thread : String(envelope.thread) === thread
  if (!isHere) return null
  switch (verb) {
    case 'NEED':
      return { envelope: id, bytes, sender, chain: null, facts: 0 }
    case 'PROPOSE': {
      const { patch } = envelope.payload as Payload<'PROPOSE'>
      return patch.length === 0 ? null : { envelope: id, bytes, sender, chain: null, facts: 0 }
    }
    case 'UPDATE_PLAN': {
      const { session, seq, previous, facts } = envelope.payload as Payload<'UPDATE_PLAN'>
      const chain = { session, seq, previous: previous?.toString() ?? null }
      return { envelope: id, bytes, sender, chain, facts: facts.length }
    }
    default:
      return null
  }
}
