/**
 * Who decides: the draw, JOIN and FORM, SEAL between epochs, finality votes and the certificate that anyone can check
 * offline (R8-R11).
 *
 * 1. A roster follows the draw over the candidates that FORM names; FORM binds it in signed bytes.
 * 2. A member joins one roster for a (slot, epoch), ever.
 * 3. A certificate is FORM plus votes of more than two thirds of the roster over one digest.
 * 4. Evidence is two statements that no honest key signs both; it convicts by its own bytes alone.
 * 5. A later epoch rests on SEALs of more than two thirds of the roster before; a decision that they show is carried.
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
export {
  CERTIFICATE_FILE_BYTES_MAX,
  CERTIFICATE_FORMAT,
  type CertificateFile,
  type CertifiedClaim,
  checkCertificateFile,
  decodeCertificateFile,
  encodeCertificateFile
} from './certificate-file.ts'
export { type Conviction, checkEvidence, followsFrom } from './check-evidence.ts'
export {
  drawOrder,
  effectiveK,
  followsDraw,
  GROUP_SIZE,
  GROUP_SIZES,
  K_MAX,
  quorumOf,
  WEIGHT_MAX,
  type WeightedCandidate,
  weightedOrder
} from './draw.ts'
export {
  decodeEvidence,
  EVIDENCE_BYTES_MAX,
  EVIDENCE_FORMAT,
  type Evidence,
  type EvidenceOf,
  encodeEvidence,
  evidenceId,
  type Offence
} from './evidence.ts'
export {
  checkForm,
  FORM_BYTES_MAX,
  FORMS_BYTES_MAX,
  type FormContext,
  groupIdOf
} from './form.ts'
export { type EpochKey, joinBytes, rosterHash, type Verify } from './key.ts'
export {
  type Carried,
  carriedBy,
  type SealSubject,
  sealBytes,
  sealsOf,
  shownBy
} from './seal.ts'
export { isVoidedBy, type VoidSubject } from './void.ts'
