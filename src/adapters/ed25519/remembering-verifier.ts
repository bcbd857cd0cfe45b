import { hash } from 'node:crypto'
import { SIGNATURES_REMEMBERED_MAX } from '../../core/base/index.ts'
import type { Verifiers, VerifySignature } from '../../ports/index.ts'

export type RememberingVerifierInit = {
  /** Good signatures that are remembered, most recently used; each takes about 100 bytes. */
  readonly max?: number
}

/**
 * A verifier that looks at the same signature once. A node meets the same ones again and again: at the door, in the log, in FORM and
 * in every certificate that carries it. Only good ones are remembered, by a SHA-256 of signer, signature and bytes together, so the
 * answer is the other verifier's for any input.
 */
export function rememberingVerifier(
  verify: VerifySignature,
  init: RememberingVerifierInit = {}
): VerifySignature {
  const verifyAside = async (...triple: Parameters<VerifySignature>) => verify(...triple)
  return rememberingVerifiers({ verify, verifyAside }, init).verify
}

/** The same for both ways to look at a signature: what one has found good, the other knows. */
export function rememberingVerifiers(
  { verify, verifyAside }: Verifiers,
  init: RememberingVerifierInit = {}
): Verifiers {
  const max = init.max ?? SIGNATURES_REMEMBERED_MAX
  const good = new Set<string>()
  const keep = (key: string): true => {
    good.delete(key)
    if (good.size >= max) good.delete(good.values().next().value as string)
    good.add(key)
    return true
  }
  return {
    verify: (did, bytes, signature) => {
      const key = keyOf(did, bytes, signature)
      return (good.has(key) || verify(did, bytes, signature)) && keep(key)
    },
    verifyAside: async (did, bytes, signature) => {
      const key = keyOf(did, bytes, signature)
      return (good.has(key) || (await verifyAside(did, bytes, signature))) && keep(key)
    }
  }
}

/** The lengths are part of what is hashed: no two triples are the same bytes. */
function keyOf(did: string, bytes: Uint8Array, signature: Uint8Array): string {
  const name = Buffer.from(did)
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32LE(name.length)
  lengths.writeUInt32LE(signature.length, 4)
  return hash('sha256', Buffer.concat([lengths, name, signature, bytes]), 'base64')
}
