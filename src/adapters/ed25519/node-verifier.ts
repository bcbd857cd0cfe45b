import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { KEYS_REMEMBERED_MAX } from '../../core/base/index.ts'
import { admitKey, admitR, parseDid, SIGNATURE_BYTES, toSpki } from '../../core/identity/index.ts'
import type { Verifiers, VerifySignature } from '../../ports/index.ts'

export type NodeVerifierInit = {
  /** Keys held ready, most recently used; each is about 1 KB. */
  readonly keysMax?: number
}

/**
 * The fast path of the one Ed25519 rule (R3), on OpenSSL. Gives exactly the answers of core's `verifyReference`:
 *
 * 1. The key is admitted by the same function: canonical, not of small order, in the prime-order subgroup. Once, then the
 *    parsed key is kept.
 * 2. R is checked by the same function: y reduced, not one of the fourteen encodings of small-order points. A point in both
 *    the prime-order subgroup and that list can only be the identity; the longer list says the rule without that argument.
 *    Recent releases of Node refuse such an R themselves; older ones do not, and the rule must not depend on which one runs.
 * 3. OpenSSL refuses S at or above L, computes [S]B - [k]A, encodes it canonically and compares bytes with R: cofactorless,
 *    as the reference does. With an admitted key the result lies in the prime-order subgroup, so an R with a small-order
 *    component, an R off the curve and an R in another encoding never compare equal.
 */
export function nodeVerifier(init: NodeVerifierInit = {}): VerifySignature {
  return nodeVerifiers(init).verify
}

/**
 * The same, and beside it the way that leaves the last step to the platform's pool of threads. What is asked in one turn is answered in one: whoever
 * goes on from there goes on together.
 */
export function nodeVerifiers(init: NodeVerifierInit = {}): Verifiers {
  const turn = new Turn()
  const keys = new RecentKeys(init.keysMax ?? KEYS_REMEMBERED_MAX)
  const admittedKey = (did: string, signature: Uint8Array): KeyObject | null =>
    signature.length === SIGNATURE_BYTES && admitR(signature) ? keys.get(did) : null
  return {
    verify: (did, bytes, signature) => {
      const key = admittedKey(did, signature)
      return key !== null && verify(null, bytes, key, signature)
    },
    verifyAside: async (did, bytes, signature) => {
      const key = admittedKey(did, signature)
      if (key === null) return false
      const answer = new Promise<boolean>(resolve =>
        verify(null, bytes, key, signature, (error, isGood) =>
          // A fault of the pool, such as no memory, says nothing about the signature.
          resolve(error === null ? isGood : verify(null, bytes, key, signature))
        )
      )
      await turn.join(answer)
      return answer
    }
  }
}

/** What is begun in one turn. */
class Turn {
  #begun: Promise<boolean>[] = []
  #ended: Promise<unknown> | null = null

  /** Resolves when all that is begun in this turn has an answer. */
  join(answer: Promise<boolean>): Promise<unknown> {
    this.#begun.push(answer)
    this.#ended ??= Promise.resolve().then(() => {
      const begun = this.#begun
      this.#begun = []
      this.#ended = null
      return Promise.all(begun)
    })
    return this.#ended
  }
}

/** DID -> key ready for OpenSSL, or null where the key is not admitted; the least recently used goes first. */
class RecentKeys {
  readonly #max: number
  readonly #keys = new Map<string, KeyObject | null>()

  constructor(max: number) {
    this.#max = max
  }

  get(did: string): KeyObject | null {
    const known = this.#keys.get(did)
    if (known !== undefined) this.#keys.delete(did)
    else if (this.#keys.size >= this.#max)
      this.#keys.delete(this.#keys.keys().next().value as string)
    const key = known === undefined ? keyOf(did) : known
    this.#keys.set(did, key)
    return key
  }
}

function keyOf(did: string): KeyObject | null {
  const parsed = parseDid(did)
  if (!parsed.ok || !admitKey(parsed.value)) return null
  return createPublicKey({ key: Buffer.from(toSpki(parsed.value)), format: 'der', type: 'spki' })
}
