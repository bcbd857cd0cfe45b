/**
 * Ed25519 by the platform's own library: `VerifySignature` and `Signer` at production speed. The rule is core's (R3); a
 * test holds both verifiers to the same answer on every vector and on random damage.
 */
export { nodeSigner } from './node-signer.ts'
export { type NodeVerifierInit, nodeVerifier, nodeVerifiers } from './node-verifier.ts'
export {
  type RememberingVerifierInit,
  rememberingVerifier,
  rememberingVerifiers
} from './remembering-verifier.ts'
