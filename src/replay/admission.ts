import type { Judge } from '../adapters/opa/index.ts'
import { equals } from '../core/base/index.ts'
import { type Admitted, readEnvelope, signedBytes } from '../core/envelope/index.ts'
import { evaluationDigest, messageInput } from '../core/policy/index.ts'
import type { VerifySignature } from '../ports/index.ts'
import { type Checked, flawed, fromRefusal } from './flaw.ts'

/** The message gate as the recording node had it. */
export type Gate = {
  /** Text CID of the base capsule, and the engine that it was evaluated by. */
  readonly base: string
  readonly engine: Uint8Array
  readonly judge: Judge
}

export type AdmissionInit = {
  /** Text CID of the thread. */
  readonly thread: string
  readonly verify: VerifySignature
  /** Null to trust the digests in the envelopes. */
  readonly gate: Gate | null
}

/**
 * What the door does, without the stages that depend on now: form, signature, thread, policy. Policies are evaluated again, and the
 * same capsule must say the same at the same gas.
 */
export class Admission {
  readonly #init: AdmissionInit
  /** Policy evaluations that gave the digest in the envelope again. */
  policies = 0

  constructor(init: AdmissionInit) {
    this.#init = init
  }

  /** `id`: what the bytes were found to hash to. */
  admit(bytes: Uint8Array, id?: string): Checked<Admitted> {
    const { thread, verify } = this.#init
    const parsed = readEnvelope(bytes, id)
    if (!parsed.ok) return fromRefusal(parsed.refusal)
    const admitted = parsed.value
    const { envelope } = admitted
    const event = eventOf(admitted)
    if (!verify(envelope.sender, signedBytes(admitted), envelope.sig))
      return flawed('BAD_SIGNATURE', `${event}: the signature is not by ${envelope.sender}`, {
        event,
        field: 'sig'
      })
    const said = envelope.verb === 'NEED' ? admitted.id : String(envelope.thread)
    if (said !== thread)
      return flawed('REPLAY_THREAD', `${event}: belongs to another thread`, {
        event,
        field: 'thread',
        expected: thread,
        found: said
      })
    return this.#gate(admitted, event) ?? { ok: true, value: admitted }
  }

  #gate({ envelope }: Admitted, event: string): Checked<never> | null {
    const { gate } = this.#init
    if (gate === null) return null
    const capsule = envelope.policyCapsule.toString()
    if (capsule !== gate.base)
      return flawed('REPLAY_CAPSULE', `${event}: judged by another capsule than the record names`, {
        event,
        field: 'policyCapsule',
        expected: gate.base,
        found: capsule
      })
    if (!equals(envelope.policyEngine, gate.engine))
      return flawed('POLICY_ENGINE_MISMATCH', `${event}: evaluated by another policy engine`, {
        event,
        field: 'policyEngine',
        expected: hex(gate.engine),
        found: hex(envelope.policyEngine)
      })
    const input = messageInput(envelope)
    const decision = gate.judge(input)
    if (!decision.allow)
      return flawed(
        'POLICY_DENIED',
        `${event}: the policy denies it: ${decision.reasons.join('; ')}`,
        {
          event
        }
      )
    const digest = evaluationDigest({ input, decision, capsule, engine: gate.engine })
    if (!equals(digest, envelope.policyEvalDigest))
      return flawed('POLICY_DIGEST_MISMATCH', `${event}: the evaluation gives another digest`, {
        event,
        field: 'policyEvalDigest',
        expected: hex(digest),
        found: hex(envelope.policyEvalDigest)
      })
    this.policies += 1
    return null
  }
}

/** Verb and id, for people. */
export function eventOf({ id, envelope }: Admitted): string {
  return `${envelope.verb} ${id}`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
