import { compareText, EPOCHS_MAX, equals, fromHex, toHex } from '../base/index.ts'
import { type Admitted, type Certificate, signedBytes } from '../envelope/index.ts'
import {
  EVIDENCE_FORMAT,
  type EvidenceOf,
  followsFrom,
  groupIdOf,
  joinBytes,
  rosterHash,
  sealBytes,
  sealsOf,
  voteBytes
} from '../roster/index.ts'
import type { Context } from './context.ts'
import { isConvicted, keepEvidence } from './evidence-keep.ts'
import { compareSeals, compareSealWithDecision, compareSealWithVote } from './evidence-seals.ts'
import { epochKey } from './promises.ts'
import {
  certificateIn,
  type Form,
  formOf,
  formsIn,
  rememberForm,
  type SeenCertificate,
  type SeenSeal,
  type SeenVote,
  sealsIn,
  votesIn
} from './statements.ts'
import type { Thread } from './thread.ts'
import type { Stage } from './types.ts'

/**
 * Holds a FORM or a certified envelope against all that is known of the thread, and keeps the proof when two statements exclude each
 * other. Its sender may be anybody: a statement in it whose own signature does not hold is held against nothing, and everything is checked
 * again before it is kept.
 */
export function watchEnvelope(context: Context, thread: Thread, admitted: Admitted): void {
  const forms = formsIn(admitted)
  if (forms.length === 0) return
  if (admitted.envelope.verb === 'FORM') rememberForm(admitted as Form)
  const known = knownForms(thread)
  const isKnown = (bytes: Uint8Array): boolean => known.some(form => equals(form, bytes))
  const fresh = distinct(forms).filter(bytes => !isKnown(bytes) && isSigned(context, thread, bytes))
  for (const [at, form] of fresh.entries())
    for (const other of [...known, ...fresh.slice(0, at)])
      compareForms(context, thread, form, other)
  const seen = certificateIn(admitted)
  const isOfForm = seen !== null && [...known, ...fresh].some(sameAs(seen.certificate.form))
  if (seen !== null && isOfForm) watchCertificate(context, thread, seen)
  for (const bytes of fresh) {
    for (const seal of sealsIn(bytes, reader(thread)))
      if (isSealSigned(context, thread, seal)) watchSeal(context, thread, seal)
  }
}

/** Holds a certificate against all others, and its votes against votes and SEALs of their members. */
function watchCertificate(context: Context, thread: Thread, seen: SeenCertificate): void {
  const isOther = ({ epoch, certificate }: SeenCertificate): boolean =>
    epoch === seen.epoch &&
    certificate.stage === seen.certificate.stage &&
    !equals(certificate.digest, seen.certificate.digest)
  const others = certificatesOf(thread).filter(isOther)
  const votes = directVotes(thread).filter(
    ({ epoch, stage, digest }) =>
      epoch === seen.epoch &&
      stage === seen.certificate.stage &&
      !equals(digest, seen.certificate.digest)
  )
  const seals = knownSeals(thread).filter(({ epoch }) => epoch === seen.epoch)
  if (others.length + votes.length + seals.length === 0) return
  const certificate = withValidVotes(context, thread, seen.certificate)
  if (certificate === null || certificate.votes.length === 0) return
  const valid = { ...seen, certificate }
  for (const other of others) compareCertificates(context, thread, valid, other)
  for (const vote of votes) compareVoteWithCertificate(context, thread, vote, valid)
  for (const seal of seals) compareSealWith(context, thread, seal, valid)
}

/** The FORMs that are known, each once, whatever carried it. */
function knownForms(thread: Thread): readonly Uint8Array[] {
  return distinct(thread.certified.flatMap(formsIn))
}

function distinct(all: readonly Uint8Array[]): Uint8Array[] {
  const found: Uint8Array[] = []
  for (const one of all) if (!found.some(sameAs(one))) found.push(one)
  return found
}

function sameAs(one: Uint8Array): (other: Uint8Array) => boolean {
  return other => one === other || equals(one, other)
}

/** The certificates that are known: of those about one digest by the same members, one. */
function certificatesOf(thread: Thread): readonly SeenCertificate[] {
  const found = new Map<string, SeenCertificate>()
  for (const admitted of thread.certified) {
    const seen = certificateIn(admitted)
    if (seen === null) continue
    const { stage, digest, votes } = seen.certificate
    const members = votes.map(({ member }) => member).sort(compareText)
    found.set(`${seen.epoch} ${stage} ${toHex(digest)} ${members.join()}`, seen)
  }
  return [...found.values()]
}

function isSigned({ verify }: Context, thread: Thread, bytes: Uint8Array): boolean {
  const form = reader(thread)(bytes)
  return form !== null && verify(form.envelope.sender, signedBytes(form), form.envelope.sig)
}

function isSealSigned(
  { verify }: Context,
  thread: Thread,
  { member, epoch, seal }: SeenSeal
): boolean {
  const { roster, digest, sig } = seal
  const proposal = seal.proposal?.toString() ?? null
  return verify(member, sealBytes({ ...epochKey(thread, epoch), roster, digest, proposal }), sig)
}

/** Holds a vote against the first one of its member, and against all certificates and SEALs that the member signed. */
export function watchVote(context: Context, thread: Thread, vote: SeenVote): void {
  const first = directVote(thread, vote.stage, vote.member)
  if (first !== null) compareVotes(context, thread, first, vote)
  for (const seen of certificatesOf(thread)) compareVoteWithCertificate(context, thread, vote, seen)
  for (const seal of knownSeals(thread)) compareSealWithVote(context, thread, seal, vote)
}

/** Holds a SEAL against all others of its member, and against its votes in the sealed epoch. */
export function watchSeal(context: Context, thread: Thread, seal: SeenSeal): void {
  for (const known of knownSeals(thread)) compareSeals(context, thread, known, seal)
  for (const vote of directVotes(thread)) compareSealWithVote(context, thread, seal, vote)
  for (const seen of certificatesOf(thread)) compareSealWith(context, thread, seal, seen)
}

/** Two JOINs of one member for one epoch that a requester was sent. */
export function watchJoins(
  context: Context,
  thread: Thread,
  member: string,
  epoch: number,
  joins: [Join, Join]
): void {
  if (isConvicted(context, thread, 'two-joins', epoch, member)) return
  const need = thread.need.bytes
  const offence = 'two-joins'
  keepEvidence(context, { format: EVIDENCE_FORMAT, offence, member, need, epoch, joins })
}

/** Two updates at one place of their sender's chain. `rival` is the id of the one that was here before. */
export function watchFork(context: Context, thread: Thread, update: Admitted, rival: string): void {
  const other = thread.envelopes.get(rival)?.admitted
  const { sender } = update.envelope
  const { epoch } = thread.need.envelope.payload
  if (other === undefined || isConvicted(context, thread, 'plan-fork', epoch, sender)) return
  const updates: [Uint8Array, Uint8Array] = [other.bytes, update.bytes]
  const need = thread.need.bytes
  keepEvidence(context, { format: EVIDENCE_FORMAT, offence: 'plan-fork', need, updates })
}

/** What is said of a SEAL by a certificate that its member may have signed. */
function compareSealWith(
  context: Context,
  thread: Thread,
  seal: SeenSeal,
  seen: SeenCertificate
): void {
  if (seal.epoch !== seen.epoch) return
  for (const vote of votesIn(seen)) compareSealWithVote(context, thread, seal, vote)
  if (seen.decision !== null) compareSealWithDecision(context, thread, seal, seen.decision)
}

/** The first votes of the members in the group that is followed. */
function directVotes(thread: Thread): readonly SeenVote[] {
  return (['decide', 'outcome'] as const).flatMap(stage =>
    [...thread.votes[stage].keys()].flatMap(member => directVote(thread, stage, member) ?? [])
  )
}

function directVote(thread: Thread, stage: Stage, member: string): SeenVote | null {
  const form = thread.group?.form
  const vote = thread.votes[stage].get(member)
  if (form === undefined || vote === undefined) return null
  const { epoch } = form.envelope.payload
  const digest = fromHex(vote.digest)
  return { member, stage, digest, sig: vote.sig, epoch, form: form.bytes }
}

function knownSeals(thread: Thread): readonly SeenSeal[] {
  const read = reader(thread)
  return knownForms(thread).flatMap(bytes => sealsIn(bytes, read))
}

function reader(thread: Thread): (bytes: Uint8Array) => Form | null {
  return bytes => formOf(bytes, thread.certified)
}

function compareForms(context: Context, thread: Thread, one: Uint8Array, other: Uint8Array): void {
  if (equals(one, other)) return
  const [first, second] = [one, other].map(reader(thread))
  if (first == null || second == null) return
  if (!isOfNeed(thread, first) || !isOfNeed(thread, second)) return
  const { sender, payload } = first.envelope
  const { epoch } = payload
  const later = second.envelope.payload.epoch
  if (epoch < later) return compareChain(context, thread, first, second)
  if (epoch > later) return compareChain(context, thread, second, first)
  if (!isConvicted(context, thread, 'two-forms', epoch, sender))
    keepEvidence(context, { format: EVIDENCE_FORMAT, offence: 'two-forms', forms: [one, other] })
  compareJoins(context, thread, first, second)
}

/** Whether a FORM could be of the thread (GROUP-6): what others sign, or for other epochs, harms nobody and would take the room of what does. */
function isOfNeed(thread: Thread, { envelope: { sender, payload } }: Form): boolean {
  const need = thread.need.envelope
  const attempt = payload.epoch - need.payload.epoch
  const isInTime = attempt >= 0 && attempt < EPOCHS_MAX
  return sender === need.sender && payload.need.toString() === thread.id && isInTime
}

/** Whether a FORM rests on seals of the group that an earlier one made. */
function compareChain(context: Context, thread: Thread, earlier: Form, later: Form): void {
  const { epoch } = earlier.envelope.payload
  const sealed = sealsOf(later).find(one => one.epoch === epoch)
  if (sealed === undefined || followsFrom(earlier, sealed)) return
  if (isConvicted(context, thread, 'broken-chain', epoch, earlier.envelope.sender)) return
  keepEvidence(context, {
    format: EVIDENCE_FORMAT,
    offence: 'broken-chain',
    earlier: earlier.bytes,
    later: later.bytes
  })
}

/** Members that promised themselves to both rosters. One roster in two FORMs is the requester's doing alone. */
function compareJoins(context: Context, thread: Thread, first: Form, second: Form): void {
  const { epoch, roster } = first.envelope.payload
  const others = second.envelope.payload.roster
  if (roster.join() === others.join()) return
  for (const member of roster) {
    const isKnown = isConvicted(context, thread, 'two-joins', epoch, member)
    if (isKnown || !others.includes(member)) continue
    const one = joinIn(context, thread, first, member)
    const other = joinIn(context, thread, second, member)
    if (one !== null && other !== null) watchJoins(context, thread, member, epoch, [one, other])
  }
}

type Join = EvidenceOf<'two-joins'>['joins'][0]

/** The JOIN of a member that a FORM carries, when it is really the member's. */
function joinIn(context: Context, thread: Thread, form: Form, member: string): Join | null {
  const { slot, epoch, roster, joins } = form.envelope.payload
  const key = { thread: thread.id, slot, epoch }
  const hash = rosterHash(key, roster)
  const promised = joinBytes(key, hash)
  const join = joins.find(one => one.member === member && context.verify(member, promised, one.sig))
  return join === undefined ? null : { roster: hash, sig: join.sig }
}

function compareCertificates(
  context: Context,
  thread: Thread,
  one: SeenCertificate,
  other: SeenCertificate
): void {
  const isConflict =
    one.epoch === other.epoch &&
    one.certificate.stage === other.certificate.stage &&
    !equals(one.certificate.digest, other.certificate.digest)
  if (!isConflict) return
  const first = withValidVotes(context, thread, one.certificate)
  const second = withValidVotes(context, thread, other.certificate)
  if (first === null || second === null) return
  keepEvidence(context, {
    format: EVIDENCE_FORMAT,
    offence: 'two-certificates',
    need: thread.need.bytes,
    certificates: [first, second]
  })
}

function compareVoteWithCertificate(
  context: Context,
  thread: Thread,
  vote: SeenVote,
  seen: SeenCertificate
): void {
  if (vote.epoch !== seen.epoch || equals(vote.digest, seen.certificate.digest)) return
  for (const other of votesIn(seen)) compareVotes(context, thread, vote, other)
}

/** Two votes of one member for one stage of one epoch. */
function compareVotes(context: Context, thread: Thread, one: SeenVote, other: SeenVote): void {
  const { member, stage, epoch } = one
  const isConflict =
    member === other.member &&
    stage === other.stage &&
    epoch === other.epoch &&
    !equals(one.digest, other.digest)
  if (!isConflict || isConvicted(context, thread, 'two-votes', epoch, member)) return
  const [first, second] = [one, other].map(({ form, digest, sig }) => ({ form, digest, sig }))
  if (first === undefined || second === undefined) return
  keepEvidence(context, {
    format: EVIDENCE_FORMAT,
    offence: 'two-votes',
    member,
    stage,
    votes: [first, second]
  })
}

/** The certificate without the votes that do not count, each member once: a proof has no byte that is free. */
function withValidVotes(
  context: Context,
  thread: Thread,
  certificate: Certificate
): Certificate | null {
  const form = reader(thread)(certificate.form)
  if (form === null) return null
  const { slot, epoch, roster } = form.envelope.payload
  const { stage, digest } = certificate
  const message = voteBytes({ group: groupIdOf(certificate.form), slot, epoch, stage, digest })
  const votes = new Map<string, Certificate['votes'][0]>()
  for (const vote of certificate.votes) {
    const { member, sig } = vote
    if (roster.includes(member) && !votes.has(member) && context.verify(member, message, sig))
      votes.set(member, vote)
  }
  return { ...certificate, votes: [...votes.values()] }
}
