import type { CID } from 'multiformats/cid'
import type { Fence } from './fields.ts'
import type { Payload, Verb } from './payloads.ts'

/** What a sender wants to say, before it has a clock value, a policy evaluation and a signature. */
export type Draft<V extends Verb = Verb> = V extends Verb
  ? {
      /** What the envelope says; chooses the payload's schema. */
      readonly verb: V
      /** CID of the thread's first NEED; null for NEED, MANIFEST and CHECKPOINT, which belong to no thread yet. */
      readonly thread: CID | null
      /** The capability that entitles the sender to this verb. */
      readonly capability: string
      /** Attempt to decide the slot; set exactly where `PLACE_OF_VERB` says so. */
      readonly epoch: number | null
      /** Fencing token of the lease that the verb acts on; set exactly where `PLACE_OF_VERB` says so. */
      readonly fence: Fence | null
      /** Artifacts and envelopes that the message is about. Messages carry references, never blobs. */
      readonly refs: readonly CID[]
      readonly payload: Payload<V>
      /** ms since 1970; after it the envelope is not accepted any more. */
      readonly notAfter: number
      /** W3C trace context, or null. */
      readonly traceparent: string | null
    }
  : never

/** What the sender's node adds to a draft. */
export type Stamp = {
  /** `did:key` of the signing key. */
  readonly sender: string
  /** Strictly increasing for each sender, across restarts. */
  readonly lamport: number
  /** 16 random bytes. */
  readonly nonce: Uint8Array
  /** The policy under which the sender says this. */
  readonly policyCapsule: CID
  /** Hash of the evaluator and its metering rules. */
  readonly policyEngine: Uint8Array
  /** taggedHash of policy input, decision, capsule and gas: divergence between nodes shows at once. */
  readonly policyEvalDigest: Uint8Array
}

/** Everything that is signed. */
export type Unsigned<V extends Verb = Verb> = Draft<V> & Stamp & { readonly v: 1 }

/** The one signed message type (protocols/envelope). */
export type Envelope<V extends Verb = Verb> = Unsigned<V> & {
  /** Ed25519 over the tagged canonical bytes of all other fields. */
  readonly sig: Uint8Array
}

/** An envelope that passed the stages of the door up to now, with its identity. */
export type Admitted<V extends Verb = Verb> = {
  /** Text form of the CID of the complete signed bytes (R2). */
  readonly id: string
  readonly cid: CID
  /** The bytes as received. The id and the hash of a FORM are over these. */
  readonly bytes: Uint8Array
  /** As in the envelope, and at hand while it rests: who goes through a whole thread asks these first. */
  readonly verb: V
  readonly sender: string
  readonly lamport: number
  readonly envelope: Envelope<V>
}
