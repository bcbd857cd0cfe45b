import type { CID } from 'multiformats/cid'
import type { Fence } from './fields.ts'
import type { Payload, Verb } from './payloads.ts'

/** What a sender wants to say, before it has a clock value, a policy evaluation and a signature. */
export type Draft<V extends Verb = Verb> = V extends Verb
  ? {
      readonly verb: V
      /** CID of the thread's first NEED; null for NEED, MANIFEST and CHECKPOINT, which belong to no thread yet. */
      readonly thread: CID | null
      /** The capability that entitles the sender to this verb. */
      readonly capability: string
      readonly epoch: number | null
      readonly fence: Fence | null
      readonly refs: readonly CID[]
      readonly payload: Payload<V>
      /** ms since 1970; after it the envelope is not accepted any more. */
      readonly notAfter: number
      /** W3C trace context, or null. */
      readonly traceparent: string | null
    }
  : never

/** The one signed message type (PROTOCOL.md). */
export type Envelope<V extends Verb = Verb> = Draft<V> & {
  readonly v: 1
  readonly sender: string
  /** Strictly increasing for each sender, across restarts. */
  readonly lamport: number
  /** 16 random bytes. */
  readonly nonce: Uint8Array
  readonly policyCapsule: CID
  /** Hash of the evaluator and its metering rules. */
  readonly policyEngine: Uint8Array
  /** taggedHash of policy input, decision, capsule and gas: divergence between nodes shows at once. */
  readonly policyEvalDigest: Uint8Array
  /** Ed25519 over the tagged canonical bytes of all other fields. */
  readonly sig: Uint8Array
}

/** An envelope that passed every stage of the door, with its identity. */
export type Admitted<V extends Verb = Verb> = {
  /** Text form of the CID of the complete signed bytes (R2). */
  readonly id: string
  readonly cid: CID
  readonly bytes: Uint8Array
  readonly envelope: Envelope<V>
}
