/** Sample drafts, stamped and signed; equal on every run. */
import {
  type Admitted,
  type Draft,
  type Envelope,
  type Stamp,
  sealEnvelope,
  signingBytes,
  unsignedEnvelope,
  type Verb
} from '../../src/core/envelope/index.ts'
import type { Signer } from '../../src/ports/index.ts'
import { SIGNERS, sampleCid, sampleDraft, sampleHash } from './sample-drafts.ts'

/** What a node adds to a draft. */
export function sampleStamp(signer: Signer, lamport = 7): Stamp {
  return {
    sender: signer.did,
    lamport,
    nonce: sampleHash(`nonce ${lamport}`).slice(0, 16),
    policyCapsule: sampleCid('capsule'),
    policyEngine: sampleHash('engine'),
    policyEvalDigest: sampleHash('evaluation')
  }
}

/** A signed envelope of a draft. */
export function sign<V extends Verb>(
  draft: Draft<V>,
  options: { readonly signer?: Signer; readonly lamport?: number } = {}
): Admitted<V> {
  const signer = options.signer ?? (SIGNERS[0] as Signer)
  const unsigned = unsignedEnvelope(draft, sampleStamp(signer, options.lamport))
  return sealEnvelope(unsigned, signer.sign(signingBytes(unsigned as unknown as Envelope)))
}

/** A signed sample of a verb. */
export function sampleEnvelope<V extends Verb>(
  verb: V,
  options: { readonly signer?: Signer; readonly lamport?: number } = {}
): Admitted<V> {
  return sign(sampleDraft(verb), options)
}
