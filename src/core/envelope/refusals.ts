import { refuse } from '../base/index.ts'

/**
 * Every refusal of the door's stages that core decides, with the rule of protocols/envelope that it enforces. Codes are
 * stable. BAD_SIGNATURE and POLICY_DENIED are given by the door itself, which asks the verifier and the policy engine.
 */
export const ENVELOPE_REFUSALS = {
  TOO_LARGE: { rule: 'ENV-1', message: 'the envelope is larger than 65536 bytes' },
  TOO_DEEP: { rule: 'ENV-2', message: 'nesting is deeper than 32' },
  NOT_CANONICAL: { rule: 'ENV-3', message: 'the bytes are not canonical DAG-CBOR' },
  UNSUPPORTED_VERSION: {
    rule: 'ENV-4',
    message: 'the envelope is of another version than 1; one of the two programs is too old'
  },
  UNKNOWN_VERB: { rule: 'ENV-5', message: 'the verb is not one of this version' },
  BAD_SHAPE: {
    rule: 'ENV-6',
    message: 'a field of the envelope is missing, unknown or of the wrong form'
  },
  BAD_PAYLOAD: {
    rule: 'ENV-7',
    message: 'a field of the payload is missing, unknown or of the wrong form'
  },
  BAD_THREAD: {
    rule: 'ENV-8',
    message: 'the verb belongs to a thread and names none, or belongs to none and names one'
  },
  BAD_EPOCH: {
    rule: 'ENV-9',
    message: 'the verb needs an epoch and has none, or has one and must not'
  },
  BAD_FENCE: {
    rule: 'ENV-10',
    message: 'the verb needs a fence of its epoch and has none, or has one and must not'
  },
  BAD_SIGNATURE: {
    rule: 'ENV-11',
    message: 'the signature is not by the sender over these fields'
  },
  ENVELOPE_EXPIRED: {
    rule: 'ENV-12',
    message: 'notAfter has passed; sign it anew, and check the clocks if it is fresh'
  },
  NOT_AFTER_TOO_FAR: {
    rule: 'ENV-13',
    message: 'notAfter is more than 24 hours ahead; choose an earlier one'
  },
  REPLAYED: { rule: 'ENV-14', message: 'this envelope has been accepted before' },
  EQUIVOCATION: {
    rule: 'ENV-15',
    message: 'the sender signed two different envelopes with one lamport value'
  },
  STALE_LAMPORT: {
    rule: 'ENV-14',
    message: 'the lamport value is older than what this node still remembers of the sender'
  },
  REPLAY_GUARD_FULL: {
    rule: 'ENV-14',
    message: 'too many senders are active; newcomers wait until others have expired'
  },
  RATE_LIMITED: {
    rule: 'ENV-16',
    message: 'the sender says more than 50 envelopes a second; slow down'
  },
  POLICY_DENIED: { rule: 'ENV-17', message: 'the policy capsule denies this envelope' }
} as const

export type EnvelopeRefusal = keyof typeof ENVELOPE_REFUSALS

/** A refusal from the table; `detail` names the place where that helps and never quotes a stranger's text. */
export function refuseEnvelope(code: EnvelopeRefusal, detail?: string): ReturnType<typeof refuse> {
  const { message } = ENVELOPE_REFUSALS[code]
  return refuse(code, detail === undefined ? message : `${message}: ${detail}`)
}
