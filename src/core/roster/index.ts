/**
 * Who decides: the draw, JOIN and FORM, finality votes and the certificate that anyone can check offline (R8-R10).
 *
 * 1. A roster follows the draw over the candidates that FORM names; FORM binds it in signed bytes.
 * 2. A member joins one roster for a (slot, epoch), ever.
 * 3. A certificate is FORM plus votes of more than two thirds of the roster over one digest.
 */
export {
  type CheckedCertificate,
  checkCertificate,
  checkDecision,
  checkOutcome,
  decisionDigest,
  outcomeDigest,
  type VoteSubject,
  voteBytes
} from './certificate.ts'
export { drawOrder, effectiveK, followsDraw, GROUP_SIZE, K_MAX, quorumOf } from './draw.ts'
export {
  checkForm,
  type EpochKey,
  FORM_BYTES_MAX,
  groupIdOf,
  joinBytes,
  rosterHash,
  type Verify
} from './form.ts'
