import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { KEYS_REMEMBERED_MAX } from '../../core/base/index.ts'
import { admitKey, admitR, parseDid, SIGNATURE_BYTES, toSpki } from '../../core/identity/index.ts'
import type { VerifySignature } from '../../ports/index.ts'

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
  const keys = new RecentKeys(init.keysMax ?? KEYS_REMEMBERED_MAX)
  return (did, bytes, signature) => {
    if (signature.length !== SIGNATURE_BYTES || !admitR(signature)) return false
    const key = keys.get(did)
    return key !== null && verify(null, bytes, key, signature)
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
