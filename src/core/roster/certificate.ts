import { equals, ok, type Result, refuse } from '../base/index.ts'
import { taggedBytes, taggedHash } from '../codec/index.ts'
import {
  type Admitted,
  type Certificate,
  type Decision,
  type Outcome,
  parseEnvelope,
  signedBytes,
  TAGS
} from '../envelope/index.ts'
import { quorumOf } from './draw.ts'
import { checkForm, groupIdOf } from './form.ts'
import type { Verify } from './key.ts'
import { carriedBy } from './seal.ts'

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
  /** The FORMs of earlier epochs, oldest first. */
  readonly previous: readonly Admitted<'FORM'>[]
  readonly signers: readonly string[]
}

/**
 * Checks a certificate offline: its FORM and those of earlier epochs are signed by the requester of `need` and well-formed, each
 * epoch before is sealed, the roster follows the draw, all joined, and more than two thirds of the roster voted for this digest.
 * A signer counts once. `known` are FORMs of this NEED that were checked, signatures and all, oldest epoch first, each against those before
 * it: where the certificate begins with the same bytes, the answer is known.
 */
export function checkCertificate(
  certificate: Certificate,
  need: Admitted<'NEED'>,
  verify: Verify,
  known: readonly Admitted<'FORM'>[] = []
): Result<CheckedCertificate> {
  const chain = checkChain([...certificate.previous, certificate.form], { need, verify, known })
  if (!chain.ok) return chain
  const previous = chain.value.slice(0, -1)
  const form = chain.value.at(-1) as Admitted<'FORM'>
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
  return ok({ group, form, previous, signers: roster.filter(member => signers.has(member)) })
}

type ChainContext = {
  readonly need: Admitted<'NEED'>
  readonly verify: Verify
  readonly known: readonly Admitted<'FORM'>[]
}

/** Checks FORMs of one NEED, oldest epoch first, each against those before it. */
function checkChain(
  forms: readonly Uint8Array[],
  { need, verify, known }: ChainContext
): Result<readonly Admitted<'FORM'>[]> {
  const previous: Admitted<'FORM'>[] = []
  let isKnown = true
  for (const [at, bytes] of forms.entries()) {
    const same: Admitted<'FORM'> | undefined = known[at]
    isKnown &&= same !== undefined && equals(same.bytes, bytes)
    if (isKnown && same !== undefined) {
      previous.push(same)
      continue
    }
    const parsed = parseEnvelope(bytes)
    if (!parsed.ok) return parsed
    if (parsed.value.envelope.verb !== 'FORM')
      return refuse('CERTIFICATE_FORM', 'the certificate holds no FORM')
    const form = parsed.value as Admitted<'FORM'>
    if (!verify(form.envelope.sender, signedBytes(form), form.envelope.sig))
      return refuse('BAD_SIGNATURE', 'the signature of a FORM in the certificate is wrong')
    const formed = checkForm(form, { need, previous }, verify)
    if (!formed.ok) return formed
    previous.push(form)
  }
  return ok(previous)
}

/** Checks that a certificate is about this decision of this NEED, and that the decision is the carried one where one is. `known`: see `checkCertificate`. */
export function checkDecision(
  decision: Decision,
  certificate: Certificate,
  need: Admitted<'NEED'>,
  verify: Verify,
  known: readonly Admitted<'FORM'>[] = []
): Result<CheckedCertificate> {
  return checkSubject('decide', decisionDigest(decision), decision, certificate, {
    need,
    verify,
    known
  })
}

/** The same for an outcome: of the carried decision where one is, or of none. */
export function checkOutcome(
  outcome: Outcome,
  certificate: Certificate,
  need: Admitted<'NEED'>,
  verify: Verify,
  known: readonly Admitted<'FORM'>[] = []
): Result<CheckedCertificate> {
  return checkSubject('outcome', outcomeDigest(outcome), outcome, certificate, {
    need,
    verify,
    known
  })
}

/** No quorum takes back what the seals of earlier epochs bind its group to (R11). */
function keepsCarried(
  { proposal }: Decision | Outcome,
  { form, previous }: CheckedCertificate
): boolean {
  const carried = carriedBy([...previous, form])
  const bound = carried.ok ? carried.value : null
  return bound === null || proposal === null || proposal.toString() === bound.proposal
}

function notCarried(): Result<never> {
  return refuse(
    'CERTIFICATE_CARRY',
    'an earlier epoch decided another proposal: no later group may replace it'
  )
}

function checkSubject(
  stage: Certificate['stage'],
  digest: Uint8Array,
  body: Decision | Outcome,
  certificate: Certificate,
  { need, verify, known }: ChainContext
): Result<CheckedCertificate> {
  const names = body.need.toString() === need.id && body.slot === need.envelope.payload.slot
  if (!names)
    return refuse('CERTIFICATE_OTHER_NEED', 'the certificate is about another NEED, slot or epoch')
  if (certificate.stage !== stage || !equals(certificate.digest, digest)) {
    return refuse('CERTIFICATE_DIGEST', 'the certificate is about something else')
  }
  const checked = checkCertificate(certificate, need, verify, known)
  if (!checked.ok) return checked
  if (checked.value.form.envelope.payload.epoch !== body.epoch)
    return refuse('CERTIFICATE_OTHER_NEED', 'the certificate is about another NEED, slot or epoch')
  return keepsCarried(body, checked.value) ? checked : notCarried()
}
