import { equals } from '../core/base/index.ts'
import { cidOf } from '../core/codec/index.ts'
import { type Admitted, parseEnvelope, signingBytes } from '../core/envelope/index.ts'
import type { Verify } from '../core/roster/index.ts'
import type { WorldPolicy } from './policy.ts'

/**
 * The stages of the door that are functions of the bytes alone, each worked out once for a whole world: messages travel by
 * reference, so the same bytes come to every node as the same object.
 */
export class Inspector {
  readonly #verify: Verify
  readonly #seen = new WeakMap<Uint8Array, Admitted | null>()
  readonly #ids = new WeakMap<Uint8Array, string>()

  readonly #policy: WorldPolicy | null

  constructor(verify: Verify, policy: WorldPolicy | null) {
    this.#verify = verify
    this.#policy = policy
  }

  /** The envelope, or null where the door refuses it. */
  inspect(bytes: Uint8Array): Admitted | null {
    const known = this.#seen.get(bytes)
    if (known !== undefined) return known
    const fresh = this.#look(bytes)
    this.#seen.set(bytes, fresh)
    // The machine keeps the copy that parsing made, and sends that one on.
    if (fresh !== null) this.#seen.set(fresh.bytes, fresh)
    return fresh
  }

  idOf(bytes: Uint8Array): string {
    const known = this.#seen.get(bytes)?.id ?? this.#ids.get(bytes)
    if (known !== undefined) return known
    const id = cidOf(bytes).toString()
    this.#ids.set(bytes, id)
    return id
  }

  #look(bytes: Uint8Array): Admitted | null {
    const parsed = parseEnvelope(bytes)
    if (!parsed.ok) return null
    const { envelope } = parsed.value
    if (!this.#verify(envelope.sender, signingBytes(envelope), envelope.sig)) return null
    if (this.#policy === null) return parsed.value
    const { allow, digest } = this.#policy.evaluate(envelope)
    return allow && equals(digest, envelope.policyEvalDigest) ? parsed.value : null
  }
}
