import { equals, ok, type Result, refuse } from '../base/index.ts'
import { taggedBytes, taggedHash } from '../codec/index.ts'
import {
  type Admitted,
  type Certificate,
  type Decision,
  type Outcome,
  parseEnvelope,
  signingBytes,
  TAGS
} from '../envelope/index.ts'
import { quorumOf } from './draw.ts'
import { checkForm, groupIdOf, type Verify } from './form.ts'

/** What a finality vote is about. */
export type VoteSubject = {
  readonly group: string
  readonly slot: string
  readonly epoch: number
  readonly stage: 'decide' | 'outcome'
  readonly digest: Uint8Array
}

/** The bytes that a member signs, once ever for each (slot, epoch, stage) (R10). */
export function voteBytes(subject: VoteSubject): Uint8Array {
  return taggedBytes(TAGS.vote, subject)
}

export function decisionDigest(decision: Decision): Uint8Array {
  return taggedHash(TAGS.decision, decision)
}

export function outcomeDigest(outcome: Outcome): Uint8Array {
  return taggedHash(TAGS.outcome, outcome)
}

/** A certificate that holds: its group and who signed. */
export type CheckedCertificate = {
  readonly group: string
  readonly form: Admitted<'FORM'>
  readonly signers: readonly string[]
}

/**
 * Checks a certificate offline: FORM is well-formed and signed by the requester of `need`, the roster follows the draw, all
 * joined, and more than two thirds of the roster voted for this digest. A signer counts once.
 */
export function checkCertificate(
  certificate: Certificate,
  need: Admitted<'NEED'>,
  verify: Verify
): Result<CheckedCertificate> {
  const parsed = parseEnvelope(certificate.form)
  if (!parsed.ok) return parsed
  if (parsed.value.envelope.verb !== 'FORM')
    return refuse('CERTIFICATE_FORM', 'the certificate holds no FORM')
  const form = parsed.value as Admitted<'FORM'>
  if (!verify(form.envelope.sender, signingBytes(form.envelope), form.envelope.sig)) {
    return refuse('BAD_SIGNATURE', 'the signature of the FORM in the certificate is wrong')
  }
  const formed = checkForm(form, need, verify)
  if (!formed.ok) return formed
  const { roster, slot, epoch } = form.envelope.payload
  const group = groupIdOf(certificate.form)
  const message = voteBytes({
    group,
    slot,
    epoch,
    stage: certificate.stage,
    digest: certificate.digest
  })
  const signers = new Set<string>()
  for (const vote of certificate.votes) {
    if (roster.includes(vote.member) && verify(vote.member, message, vote.sig))
      signers.add(vote.member)
  }
  if (signers.size < quorumOf(roster.length)) {
    return refuse(
      'CERTIFICATE_QUORUM',
      `only ${signers.size} of ${roster.length} members signed; ${quorumOf(roster.length)} are needed`
    )
  }
  return ok({ group, form, signers: roster.filter(member => signers.has(member)) })
}

/** Checks that a certificate is about this decision of this NEED. */
export function checkDecision(
  decision: Decision,
  certificate: Certificate,
  need: Admitted<'NEED'>,
  verify: Verify
): Result<CheckedCertificate> {
  return checkSubject('decide', decisionDigest(decision), decision, certificate, need, verify)
}

/** Checks that a certificate is about this outcome of this NEED. */
export function checkOutcome(
  outcome: Outcome,
  certificate: Certificate,
  need: Admitted<'NEED'>,
  verify: Verify
): Result<CheckedCertificate> {
  return checkSubject('outcome', outcomeDigest(outcome), outcome, certificate, need, verify)
}

function checkSubject(
  stage: Certificate['stage'],
  digest: Uint8Array,
  body: Decision | Outcome,
  certificate: Certificate,
  need: Admitted<'NEED'>,
  verify: Verify
): Result<CheckedCertificate> {
  const names =
    body.need.toString() === need.id &&
    body.slot === need.envelope.payload.slot &&
    body.epoch === need.envelope.payload.epoch
  if (!names)
    return refuse('CERTIFICATE_OTHER_NEED', 'the certificate is about another NEED, slot or epoch')
  if (certificate.stage !== stage || !equals(certificate.digest, digest)) {
    return refuse('CERTIFICATE_DIGEST', 'the certificate is about something else')
  }
  return checkCertificate(certificate, need, verify)
}
