import { equals, ok, type Result, refuse } from '../base/index.ts'
import type { Admitted, Certificate, EpochSeal } from '../envelope/index.ts'
import { checkCertificate, decisionDigest, type VoteSubject, voteBytes } from './certificate.ts'
import type { Evidence, EvidenceOf, Offence } from './evidence.ts'
import { groupIdOf } from './form.ts'
import { type EpochKey, joinBytes, type Verify } from './key.ts'
import { sealBytes, sealsOf } from './seal.ts'
import { openSigned } from './signed.ts'

/** What evidence proves, and against whom. */
export type Conviction = {
  readonly offence: Offence
  /** DIDs, in the order of the roster where there is one; at least one. */
  readonly convicted: readonly string[]
  readonly thread: string
  readonly slot: string
  readonly epoch: number
}

/**
 * Judges evidence by its own bytes alone. It holds when every signature in it does and the two statements are of a kind that
 * no honest node makes both: each is promised once, ever, behind a durable record (R8, R9, R10). Otherwise it is refused, and
 * convicts nobody.
 */
export function checkEvidence(evidence: Evidence, verify: Verify): Result<Conviction> {
  switch (evidence.offence) {
    case 'two-votes':
      return checkTwoVotes(evidence, verify)
    case 'two-joins':
      return checkTwoJoins(evidence, verify)
    case 'two-forms':
      return checkTwoForms(evidence, verify)
    case 'two-certificates':
      return checkTwoCertificates(evidence, verify)
    case 'sealed-vote':
      return checkSealedVote(evidence, verify)
    case 'two-seals':
      return checkTwoSeals(evidence, verify)
    case 'false-seal':
      return checkFalseSeal(evidence, verify)
    case 'broken-chain':
      return checkBrokenChain(evidence, verify)
    case 'plan-fork':
      return checkPlanFork(evidence, verify)
  }
}

/** One vote for one (slot, epoch, stage), ever, whichever group it is cast in (GROUP-12). */
function checkTwoVotes(evidence: EvidenceOf<'two-votes'>, verify: Verify): Result<Conviction> {
  const { member, stage, votes } = evidence
  const first = castIn(member, stage, votes[0], verify)
  if (!first.ok) return first
  const second = castIn(member, stage, votes[1], verify)
  if (!second.ok) return second
  if (keyOf(first.value) !== keyOf(second.value)) return unrelated('votes')
  if (equals(votes[0].digest, votes[1].digest)) return agreeing('votes')
  return convict(evidence.offence, [member], first.value)
}

/** The FORM that a vote was cast under, when the vote is the member's. */
function castIn(
  member: string,
  stage: VoteSubject['stage'],
  vote: EvidenceOf<'two-votes'>['votes'][0],
  verify: Verify
): Result<Admitted<'FORM'>> {
  const form = openSigned(vote.form, ['FORM'], verify)
  if (!form.ok) return form
  const { roster, slot, epoch } = form.value.envelope.payload
  if (!roster.includes(member))
    return refuse('PROOF_STRANGER', 'the vote is by nobody of the roster')
  const group = groupIdOf(vote.form)
  const message = voteBytes({ group, slot, epoch, stage, digest: vote.digest })
  return verify(member, message, vote.sig) ? form : unsigned('vote')
}

/** One promise for one (slot, epoch), ever (GROUP-5). */
function checkTwoJoins(evidence: EvidenceOf<'two-joins'>, verify: Verify): Result<Conviction> {
  const { member, epoch, joins, offence } = evidence
  const need = openSigned(evidence.need, ['NEED'], verify)
  if (!need.ok) return need
  const key = { thread: need.value.id, slot: need.value.envelope.payload.slot, epoch }
  for (const { roster, sig } of joins)
    if (!verify(member, joinBytes(key, roster), sig)) return unsigned('JOIN')
  if (equals(joins[0].roster, joins[1].roster)) return agreeing('JOINs')
  return ok({ offence, convicted: [member], ...key })
}

/** One FORM for a NEED and an epoch (R8). Whether the two would hold does not matter: signing both is the offence. */
function checkTwoForms(evidence: EvidenceOf<'two-forms'>, verify: Verify): Result<Conviction> {
  const first = openSigned(evidence.forms[0], ['FORM'], verify)
  if (!first.ok) return first
  const second = openSigned(evidence.forms[1], ['FORM'], verify)
  if (!second.ok) return second
  const { sender, payload } = first.value.envelope
  const other = second.value.envelope
  const isSameEpoch =
    sender === other.sender &&
    payload.need.toString() === other.payload.need.toString() &&
    payload.epoch === other.payload.epoch
  if (!isSameEpoch) return unrelated('FORMs')
  if (first.value.id === second.value.id) return agreeing('FORMs')
  return convict(evidence.offence, [sender], first.value)
}

function checkTwoCertificates(
  evidence: EvidenceOf<'two-certificates'>,
  verify: Verify
): Result<Conviction> {
  const [one, other] = evidence.certificates
  const need = openSigned(evidence.need, ['NEED'], verify)
  if (!need.ok) return need
  const first = signedBy(one, need.value, verify)
  if (!first.ok) return first
  const second = signedBy(other, need.value, verify)
  if (!second.ok) return second
  const isSame = one.stage === other.stage && keyOf(first.value.form) === keyOf(second.value.form)
  if (!isSame) return unrelated('certificates')
  if (equals(one.digest, other.digest)) return agreeing('certificates')
  const both = first.value.signers.filter(member => second.value.signers.includes(member))
  if (both.length === 0)
    return refuse('PROOF_NOBODY', 'nobody signed both certificates: this convicts no member')
  return convict(evidence.offence, both, first.value.form)
}

/**
 * Who has sealed an epoch votes in it no more, and its SEAL shows the decision that it was locked on; who is locked on an outcome
 * does not seal (R11). So the order of the two does not matter.
 */
function checkSealedVote(evidence: EvidenceOf<'sealed-vote'>, verify: Verify): Result<Conviction> {
  const { member, stage, vote, seal } = evidence
  const form = castIn(member, stage, vote, verify)
  if (!form.ok) return form
  const { need, slot, epoch } = form.value.envelope.payload
  if (!isSealedBy(member, { thread: need.toString(), slot, epoch }, seal, verify))
    return unsigned('SEAL')
  const isShown = seal.digest !== null && equals(seal.digest, vote.digest)
  if (stage === 'decide' && isShown) return agreeing('statements')
  return convict(evidence.offence, [member], form.value)
}

/** The same question gives the same answer: a SEAL is on disk before it leaves (R11). */
function checkTwoSeals(evidence: EvidenceOf<'two-seals'>, verify: Verify): Result<Conviction> {
  const { member, epoch, seals, offence } = evidence
  const need = openSigned(evidence.need, ['NEED'], verify)
  if (!need.ok) return need
  const key = { thread: need.value.id, slot: need.value.envelope.payload.slot, epoch }
  for (const seal of seals) if (!isSealedBy(member, key, seal, verify)) return unsigned('SEAL')
  if (equals(sealedBytes(key, seals[0]), sealedBytes(key, seals[1]))) return agreeing('SEALs')
  return ok({ offence, convicted: [member], ...key })
}

/** A lock holds digest and PROPOSE of one decision, and a SEAL shows both. Nobody else can make a body of that digest. */
function checkFalseSeal(evidence: EvidenceOf<'false-seal'>, verify: Verify): Result<Conviction> {
  const { member, decision, seal, offence } = evidence
  const key = { thread: decision.need.toString(), slot: decision.slot, epoch: decision.epoch }
  if (!isSealedBy(member, key, seal, verify)) return unsigned('SEAL')
  if (seal.digest === null || !equals(seal.digest, decisionDigest(decision)))
    return unrelated('statements')
  if (seal.proposal?.toString() === decision.proposal.toString()) return agreeing('statements')
  return ok({ offence, convicted: [member], ...key })
}

/**
 * A requester knows its own FORMs. One whose seals are of another roster than its FORM of that epoch bound, or name another
 * FORM, would let a group go on that was never asked to stop.
 */
function checkBrokenChain(
  evidence: EvidenceOf<'broken-chain'>,
  verify: Verify
): Result<Conviction> {
  const earlier = openSigned(evidence.earlier, ['FORM'], verify)
  if (!earlier.ok) return earlier
  const later = openSigned(evidence.later, ['FORM'], verify)
  if (!later.ok) return later
  const { sender, payload } = earlier.value.envelope
  const other = later.value.envelope
  const sealed = sealsOf(later.value).find(({ epoch }) => epoch === payload.epoch)
  const isSameNeed =
    sender === other.sender && payload.need.toString() === other.payload.need.toString()
  if (!isSameNeed || sealed === undefined) return unrelated('FORMs')
  if (followsFrom(earlier.value, sealed)) return agreeing('FORMs')
  return convict(evidence.offence, [sender], earlier.value)
}

/** A node says one thing at each place of its chain, and the place is on disk before it leaves (PLAN-23). */
function checkPlanFork(evidence: EvidenceOf<'plan-fork'>, verify: Verify): Result<Conviction> {
  const need = openSigned(evidence.need, ['NEED'], verify)
  if (!need.ok) return need
  const first = openSigned(evidence.updates[0], ['UPDATE_PLAN'], verify)
  if (!first.ok) return first
  const second = openSigned(evidence.updates[1], ['UPDATE_PLAN'], verify)
  if (!second.ok) return second
  const places = [first.value, second.value].map(placeOf)
  const isOfNeed = first.value.envelope.thread?.toString() === need.value.id
  if (!isOfNeed || places[0] !== places[1]) return unrelated('updates')
  if (first.value.id === second.value.id) return agreeing('updates')
  const { slot, epoch } = need.value.envelope.payload
  const convicted = [first.value.envelope.sender]
  return ok({ offence: evidence.offence, convicted, thread: need.value.id, slot, epoch })
}

/** What an update is unique for, as text. */
function placeOf({ envelope }: Admitted<'UPDATE_PLAN'>): string {
  const { session, seq } = envelope.payload
  return JSON.stringify([envelope.thread?.toString(), envelope.sender, session, seq])
}

/** Whether seals are of the group that a FORM made. Seals without a FORM may come of a FORM that was still on its way. */
export function followsFrom(form: Admitted<'FORM'>, sealed: EpochSeal): boolean {
  const isSameForm = sealed.form === null || sealed.form.toString() === form.id
  return isSameForm && sealed.roster.join() === form.envelope.payload.roster.join()
}

type Seal = EvidenceOf<'sealed-vote'>['seal']

function isSealedBy(member: string, key: EpochKey, seal: Seal, verify: Verify): boolean {
  return verify(member, sealedBytes(key, seal), seal.sig)
}

function sealedBytes(key: EpochKey, { roster, digest, proposal }: Seal): Uint8Array {
  return sealBytes({ ...key, roster, digest, proposal: proposal?.toString() ?? null })
}

/** A certificate that holds and has no vote in it that does not count: evidence has no byte that is free. */
function signedBy(
  certificate: Certificate,
  need: Admitted<'NEED'>,
  verify: Verify
): ReturnType<typeof checkCertificate> {
  const checked = checkCertificate(certificate, need, verify)
  if (checked.ok && checked.value.signers.length !== certificate.votes.length)
    return refuse('PROOF_STRANGER', 'a certificate has a vote that does not count')
  return checked
}

/**
 * What promises are unique for, as text. The NEED is part of it: a node forgets what it promised for a slot once the NEED has
 * long expired (R12), and may then promise for another NEED of that slot.
 */
function keyOf(form: Admitted<'FORM'>): string {
  const { need, slot, epoch } = form.envelope.payload
  return JSON.stringify([form.envelope.sender, need.toString(), slot, epoch])
}

function convict(
  offence: Offence,
  convicted: readonly string[],
  form: Admitted<'FORM'>
): Result<Conviction> {
  const { need, slot, epoch } = form.envelope.payload
  return ok({ offence, convicted, thread: need.toString(), slot, epoch })
}

function unsigned(what: string): Result<never> {
  return refuse('BAD_SIGNATURE', `the signature of a ${what} is wrong`)
}

function unrelated(what: string): Result<never> {
  return refuse(
    'PROOF_UNRELATED',
    `the two ${what} are not about one slot, epoch and stage: nobody has to choose between them`
  )
}

function agreeing(what: string): Result<never> {
  return refuse('PROOF_AGREES', `the two ${what} say the same: this is no offence`)
}
