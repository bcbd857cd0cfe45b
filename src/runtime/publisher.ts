import type { Refusal, Result } from '../core/base/index.ts'
import { refuse } from '../core/base/index.ts'
import { CID } from '../core/codec/index.ts'
import {
  checkDraft,
  type Draft,
  refuseEnvelope,
  sealEnvelope,
  signingBytes,
  unsignedEnvelope
} from '../core/envelope/index.ts'
import { evaluationDigest, messageInput } from '../core/policy/index.ts'
import type { Entropy, Logger, PolicyEngine, Signer } from '../ports/index.ts'
import type { Admission } from './door.ts'
import { policyFailure } from './policy-failure.ts'

export type PublisherComponents = {
  readonly policy: PolicyEngine
  readonly signer: Signer
  readonly entropy: Entropy
  readonly logger: Logger
  /** The door, for own envelopes. */
  readonly admit: (bytes: Uint8Array) => Promise<Admission>
  /** A draft did not become an accepted envelope. */
  readonly refused: (draft: Draft, lamport: number, refusal: Refusal) => void
}

/** Drafts that may wait. Far above what a node says in a second (SENDER_ENVELOPES_PER_SECOND). */
const DRAFTS_WAITING_MAX = 1024
/** Bytes of an envelope's nonce. */
const NONCE_SIZE = 16

type Waiting = { readonly draft: Draft; readonly lamport: number }

/**
 * Makes envelopes of drafts: preflight policy (gate 1), nonce, digest, signature, and then the door like any other (R4).
 * One after the other, so that a node's envelopes leave in the order of their lamport values.
 */
export class Publisher {
  readonly #components: PublisherComponents
  #waiting: Waiting[] = []
  #work: Promise<void> | undefined
  #isStopped = false

  constructor(components: PublisherComponents) {
    this.#components = components
  }

  /** Takes a draft. Its end is an accepted envelope or one call of `refused`. */
  publish(draft: Draft, lamport: number): void {
    if (this.#isStopped) return
    if (this.#waiting.length >= DRAFTS_WAITING_MAX) {
      return this.#components.refused(draft, lamport, BUSY.refusal)
    }
    this.#waiting.push({ draft, lamport })
    this.#work ??= this.#run()
  }

  isBusy(): boolean {
    return this.#work !== undefined
  }

  /** Resolves when no draft waits. */
  async idle(): Promise<void> {
    await this.#work
  }

  /** Forgets what waits; nobody is told. */
  stop(): void {
    this.#isStopped = true
    this.#waiting = []
  }

  async #run(): Promise<void> {
    // Lets `publish` return first: a refusal must not come back inside the effect that asked.
    await Promise.resolve()
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const refusal = await this.#publish(next)
      if (refusal !== undefined && !this.#isStopped)
        this.#components.refused(next.draft, next.lamport, refusal)
    }
    this.#work = undefined
  }

  async #publish({ draft, lamport }: Waiting): Promise<Refusal | undefined> {
    try {
      const sealed = await this.#seal(draft, lamport)
      if (!sealed.ok) return sealed.refusal
      const { verdict, refusal } = await this.#components.admit(sealed.value)
      return verdict === 'accept' ? undefined : (refusal ?? BUSY.refusal)
    } catch (error) {
      return policyFailure(error, this.#components.logger)
    }
  }

  /** Rejects when the policy cannot be evaluated. */
  async #seal(unchecked: Draft, lamport: number): Promise<Result<Uint8Array>> {
    const { policy, signer, entropy } = this.#components
    const checked = checkDraft(unchecked)
    if (!checked.ok) return checked
    const draft = checked.value
    const input = messageInput({ ...draft, sender: signer.did, lamport })
    const capsule = policy.baseCapsule
    const decision = await policy.evaluate(capsule, input)
    if (!decision.allow) return refuseEnvelope('POLICY_DENIED', decision.reasons.join('; '))
    const unsigned = unsignedEnvelope(draft, {
      sender: signer.did,
      lamport,
      nonce: entropy.bytes(NONCE_SIZE),
      policyCapsule: CID.parse(capsule),
      policyEngine: policy.engine,
      policyEvalDigest: evaluationDigest({ input, decision, capsule, engine: policy.engine })
    })
    return { ok: true, value: sealEnvelope(unsigned, signer.sign(signingBytes(unsigned))).bytes }
  }
}

const BUSY = refuse('BUSY', 'the node has too many drafts to sign: wait a moment and repeat')
