/** This node's key. Ed25519 is deterministic: the same bytes give the same signature. */
export interface Signer {
  readonly did: string
  sign(bytes: Uint8Array): Uint8Array
}

/** Strict, cofactorless Ed25519 by one rule (R3). Pure; never throws. */
export type VerifySignature = (did: string, bytes: Uint8Array, signature: Uint8Array) => boolean

/** The same answer, which other threads work out: for many signatures at once. Never rejects. */
export type VerifySignatureAside = (
  did: string,
  bytes: Uint8Array,
  signature: Uint8Array
) => Promise<boolean>

/** Both ways to the one answer. */
export type Verifiers = {
  readonly verify: VerifySignature
  readonly verifyAside: VerifySignatureAside
}
