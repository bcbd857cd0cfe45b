import { equals, fromHex, toHex } from '../base/index.ts'
import { type Admitted, type Certificate, parseEnvelope } from '../envelope/index.ts'
import {
  checkEvidence,
  decodeEvidence,
  EVIDENCE_FORMAT,
  type Evidence,
  type EvidenceOf,
  encodeEvidence,
  evidenceId,
  groupIdOf,
  joinBytes,
  rosterHash,
  voteBytes
} from '../roster/index.ts'
import type { Context } from './context.ts'
import type { Charge } from './evidence-shelf.ts'
import type { Thread } from './thread.ts'
import type { Stage } from './types.ts'

/** A finality vote whose signature holds. */
export type SeenVote = {
  readonly member: string
  readonly stage: Stage
  readonly digest: Uint8Array
  readonly sig: Uint8Array
}

type Form = Admitted<'FORM'>
/** A certificate as an envelope carries it, and the epoch that its body names. */
type SeenCertificate = { readonly epoch: number; readonly certificate: Certificate }

/**
 * Holds a FORM or a certified envelope against all others of the thread, and keeps the proof when two of them cannot both be
 * honest. Its sender's signature has been checked; everything else is checked here before anything is kept.
 */
export function watchEnvelope(context: Context, thread: Thread, admitted: Admitted): void {
  const forms = formsIn(admitted)
  const seen = certificateIn(admitted)
  if (forms.length === 0) return
  for (const other of thread.certified) {
    for (const form of forms)
      for (const known of formsIn(other)) compareForms(context, thread, form, known)
    const known = certificateIn(other)
    if (seen !== null && known !== null) compareCertificates(context, thread, seen, known)
  }
  const { group } = thread
  if (seen === null || group === null || group.form.envelope.payload.epoch !== seen.epoch) return
  const { stage } = seen.certificate
  for (const [member, { digest, sig }] of thread.votes[stage])
    compareVote(context, group.form, { member, stage, digest: fromHex(digest), sig }, seen)
}

/** Holds a vote against the first one of its member, and against all certificates that the member signed. */
export function watchVote(context: Context, thread: Thread, form: Form, vote: SeenVote): void {
  const first = thread.votes[vote.stage].get(vote.member)
  if (first !== undefined && first.digest !== toHex(vote.digest)) {
    const { bytes } = form
    keep(context, {
      format: EVIDENCE_FORMAT,
      offence: 'two-votes',
      member: vote.member,
      stage: vote.stage,
      votes: [
        { form: bytes, digest: fromHex(first.digest), sig: first.sig },
        { form: bytes, digest: vote.digest, sig: vote.sig }
      ]
    })
  }
  for (const known of thread.certified) {
    const seen = certificateIn(known)
    if (seen?.epoch === form.envelope.payload.epoch) compareVote(context, form, vote, seen)
  }
}

/** Puts back what is on disk. What another release wrote, or a hand changed, is left aside: it proves nothing here. */
export function restoreEvidence(context: Context, bytes: Uint8Array): void {
  const decoded = decodeEvidence(bytes)
  if (decoded.ok) keep(context, decoded.value)
}

/** Keeps a proof that holds and says more than is known: on disk, in the view, and as an event. */
function keep(context: Context, evidence: Evidence): void {
  const bytes = encodeEvidence(evidence)
  const id = evidenceId(bytes)
  if (context.evidence.has(id)) return
  const checked = checkEvidence(evidence, context.verify)
  if (!checked.ok) return
  const { thread, offence, convicted } = checked.value
  if (!context.evidence.put({ id, bytes, conviction: checked.value })) return
  context.persist({ type: 'evidence', bytes }, { sync: true })
  context.observe({ type: 'evidence', thread, id, offence, convicted, atMs: context.nowMs })
}

function compareForms(context: Context, thread: Thread, one: Uint8Array, other: Uint8Array): void {
  if (equals(one, other)) return
  const first = formOf(one)
  const second = formOf(other)
  if (first === null || second === null) return
  const { sender, payload } = first.envelope
  if (sender !== second.envelope.sender || payload.epoch !== second.envelope.payload.epoch) return
  const charge: Charge = { offence: 'two-forms', epoch: payload.epoch, convicted: [sender] }
  if (!context.evidence.convicts(thread.id, charge))
    keep(context, { format: EVIDENCE_FORMAT, offence: 'two-forms', forms: [one, other] })
  compareJoins(context, thread, first, second)
}

/** Members that promised themselves to both rosters. One roster in two FORMs is the requester's doing alone. */
function compareJoins(context: Context, thread: Thread, first: Form, second: Form): void {
  const { epoch, roster } = first.envelope.payload
  if (roster.join() === second.envelope.payload.roster.join()) return
  for (const member of roster) {
    if (!second.envelope.payload.roster.includes(member)) continue
    const charge: Charge = { offence: 'two-joins', epoch, convicted: [member] }
    if (context.evidence.convicts(thread.id, charge)) continue
    const one = joinIn(context, thread, first, member)
    const other = joinIn(context, thread, second, member)
    if (one === null || other === null) continue
    keep(context, {
      format: EVIDENCE_FORMAT,
      offence: 'two-joins',
      member,
      need: thread.need.bytes,
      epoch,
      joins: [one, other]
    })
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
  const first = withValidVotes(context, one.certificate)
  const second = withValidVotes(context, other.certificate)
  if (first === null || second === null) return
  keep(context, {
    format: EVIDENCE_FORMAT,
    offence: 'two-certificates',
    need: thread.need.bytes,
    certificates: [first, second]
  })
}

/** A vote of a member against its vote in a certificate of the same epoch. */
function compareVote(context: Context, form: Form, vote: SeenVote, seen: SeenCertificate): void {
  const { certificate } = seen
  if (certificate.stage !== vote.stage || equals(certificate.digest, vote.digest)) return
  const { member, stage } = vote
  for (const { member: signer, sig } of certificate.votes) {
    if (signer !== member) continue
    keep(context, {
      format: EVIDENCE_FORMAT,
      offence: 'two-votes',
      member,
      stage,
      votes: [
        { form: form.bytes, digest: vote.digest, sig: vote.sig },
        { form: certificate.form, digest: certificate.digest, sig }
      ]
    })
  }
}

/** The certificate without the votes that do not count, each member once: a proof has no byte that is free. */
function withValidVotes(context: Context, certificate: Certificate): Certificate | null {
  const form = formOf(certificate.form)
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

/** The FORMs that an envelope is or carries, as bytes. */
function formsIn(admitted: Admitted): readonly Uint8Array[] {
  if (admitted.envelope.verb === 'FORM') return [admitted.bytes]
  const seen = certificateIn(admitted)
  return seen === null ? [] : [seen.certificate.form]
}

function certificateIn({ envelope }: Admitted): SeenCertificate | null {
  if (envelope.verb === 'DECIDE') {
    const { decision, certificate } = (envelope as Admitted<'DECIDE'>['envelope']).payload
    return { epoch: decision.epoch, certificate }
  }
  if (envelope.verb !== 'FINALIZE' && envelope.verb !== 'INVALIDATE') return null
  const { outcome, certificate } = (envelope as Admitted<'FINALIZE'>['envelope']).payload
  return { epoch: outcome.epoch, certificate }
}

const parsed = new WeakMap<Uint8Array, { readonly form: Form | null }>()

/** A FORM out of its bytes. The same bytes are asked about with everything that comes after them. */
function formOf(bytes: Uint8Array): Form | null {
  const known = parsed.get(bytes)
  if (known !== undefined) return known.form
  const result = parseEnvelope(bytes)
  const isForm = result.ok && result.value.envelope.verb === 'FORM'
  const form = isForm ? (result.value as Form) : null
  parsed.set(bytes, { form })
  return form
}
