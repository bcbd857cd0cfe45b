import { hash as hashOf } from 'node:crypto'
import { nodeSigner, nodeVerifier, rememberingVerifier } from '../adapters/ed25519/index.ts'
import { equals } from '../core/base/index.ts'
import { formatDid } from '../core/identity/index.ts'
import type { Verify } from '../core/roster/index.ts'

/** Who a virtual node is: it signs with its own key only, so that nobody in the world can forge another's name. */
export type Keys = { readonly did: string; readonly sign: (bytes: Uint8Array) => Uint8Array }

/** One way of signing for a whole world. */
export type Signatures = {
  readonly name: SignatureName
  /** The keys of one index; the same at every call. */
  readonly keys: (index: number) => Keys
  readonly verify: Verify
}

/** `fast`: a keyed hash in place of Ed25519, some thirty times cheaper; `ed25519`: what nodes use. */
export type SignatureName = 'fast' | 'ed25519'

export function signaturesOf(name: SignatureName): Signatures {
  return name === 'fast' ? fastSignatures() : ed25519Signatures()
}

/** Ed25519 by the platform's library, with seeds that anybody can guess. */
export function ed25519Signatures(): Signatures {
  const made = new Map<number, Keys>()
  return {
    name: 'ed25519',
    keys: index => remember(made, index, () => nodeSigner(seedOf(index))),
    verify: rememberingVerifier(nodeVerifier())
  }
}

/**
 * A stand-in whose signatures are SHA-512 of signer and bytes. It binds the same things as Ed25519 does; that it keeps no secret
 * does no harm, since whoever acts in a virtual world is handed the `sign` of its own keys only.
 */
export function fastSignatures(): Signatures {
  const made = new Map<number, Keys>()
  return {
    name: 'fast',
    keys: index =>
      remember(made, index, () => {
        const did = formatDid(seedOf(index))
        return { did, sign: bytes => keyedHash(did, bytes) }
      }),
    verify: (did, bytes, signature) => equals(keyedHash(did, bytes), signature)
  }
}

function keyedHash(did: string, bytes: Uint8Array): Uint8Array {
  const text = Buffer.concat([Buffer.from(did, 'latin1'), bytes])
  return new Uint8Array(hashOf('sha512', text, 'buffer'))
}

function seedOf(index: number): Uint8Array {
  return new Uint8Array(32).fill(index + 1)
}

function remember<T>(made: Map<number, T>, index: number, make: () => T): T {
  const known = made.get(index)
  if (known !== undefined) return known
  const fresh = make()
  made.set(index, fresh)
  return fresh
}
