import { compareText, EPOCHS_MAX, equals, ok, type Result, refuse } from '../base/index.ts'
import { CID, isEnvelopeId } from '../codec/index.ts'
import type { EpochSeal } from '../envelope/index.ts'
import { quote } from '../need/index.ts'
import { carriedBy, quorumOf, rosterHash, sealBytes, shownBy } from '../roster/index.ts'
import type { Context } from './context.ts'
import { watchSeal } from './evidence.ts'
import { compareSeals } from './evidence-seals.ts'
import { awaitsCommit, epochKey, sealEpoch } from './promises.ts'
import type { SeenSeal } from './statements.ts'
import type { Thread } from './thread.ts'
import type { PeerMessage, SealedEpoch } from './types.ts'
import { refuseVoid } from './void.ts'

type MemberSeal = SealedEpoch['seals'][number]

/** How many times members are asked before a decision is believed that only so many of them show as may be liars. */
const DOUBTS = 5

/** The requester's side of ending an epoch: ask all members to seal, until more than two thirds have. */
export type Sealing = {
  readonly epoch: number
  /** Id of the epoch's FORM, or null when it never came to one. */
  readonly form: string | null
  readonly roster: readonly string[]
  /** Sealed epochs before this one that no FORM has shown yet. */
  readonly earlier: readonly SealedEpoch[]
  readonly seals: Map<string, MemberSeal>
  readonly declined: Map<string, string>
  askedAt: number
  /** When the members were first asked, here or since the last restart; 0 before. */
  beganAt: number
  /** When enough seals agreed first; 0 before. */
  sealedAt: number
  /** Set once enough seals agree; they are what FORM will show. Seals that come before its members are chosen may still better it. */
  sealed: SealedEpoch | null
  /** Whether what they show may be the word of liars alone. */
  isDoubtful: boolean
}

/** Whether the epoch that an own thread is in can be ended, as far as this node knows. */
export function checkReform(context: Context, thread: Thread): Result<null> {
  if (thread.need.envelope.sender !== context.did)
    return refuse('NOT_REQUESTER', 'only the requester of a NEED opens a new epoch')
  if (thread.isEnded()) return refuse('THREAD_ENDED', `the thread has ended: ${thread.phase()}`)
  const voided = refuseVoid(context, thread)
  if (voided !== null) return voided
  if (thread.sealing !== null) return refuse('REFORMING', 'a new epoch is being opened already')
  const { formation, group } = thread
  if (formation === null ? group === null : formation.roster === null)
    return refuse(
      'NOTHING_TO_SEAL',
      'the members of the group are being chosen: nobody is bound yet'
    )
  if ((formation?.publishedAt ?? 0) > 0)
    return refuse('NOTHING_TO_SEAL', 'the group is about to start')
  if (hasResult(context, thread))
    return refuse(
      'RESULT_KNOWN',
      'there is a COMMIT: the group judges it, and no new one is formed'
    )
  const epoch = formation?.epoch ?? thread.epoch()
  if (epoch + 1 >= thread.need.envelope.payload.epoch + EPOCHS_MAX)
    return refuse('EPOCHS_USED_UP', `a NEED has at most ${EPOCHS_MAX} epochs: state it anew`)
  return ok(null)
}

/** What keeps members from sealing, and no longer than it keeps them: a COMMIT in the log, or one that may still get there. */
function hasResult(context: Context, thread: Thread): boolean {
  if (thread.group === null) return false
  return thread.group.log.state.commit !== null || awaitsCommit(context, thread)
}

/**
 * Begins to end the epoch, in which these members were `absent`. From here on no FORM is made for it, also after a restart.
 * `checkReform` has allowed it.
 */
export function beginSealing(context: Context, thread: Thread, absent: readonly string[]): void {
  const sealing = newSealing(thread)
  if (sealing === null) return
  const { epoch } = sealing
  thread.sealing = sealing
  thread.formation = null
  noteAbsent(thread, epoch, absent)
  context.persist(
    {
      type: 'sealing',
      thread: thread.id,
      epoch,
      ...(absent.length === 0 ? {} : { absent: [...absent] })
    },
    { sync: true }
  )
  ask(context, thread, sealing)
}

/** Puts back a sealing that had begun. */
export function restoreSealing(thread: Thread, epoch: number, absent: readonly string[]): void {
  noteAbsent(thread, epoch, absent)
  const sealing = newSealing(thread)
  if (sealing === null || sealing.epoch !== epoch) return
  thread.sealing = sealing
  thread.formation = null
}

function noteAbsent(thread: Thread, epoch: number, absent: readonly string[]): void {
  for (const did of absent) thread.absences.set(did, epoch)
}

function newSealing(thread: Thread): Sealing | null {
  const { formation, group } = thread
  const fresh = {
    seals: new Map<string, MemberSeal>(),
    declined: new Map<string, string>(),
    askedAt: 0,
    beganAt: 0,
    sealedAt: 0,
    sealed: null,
    isDoubtful: false
  }
  if (formation?.roster != null) {
    const { epoch, roster, seals } = formation
    return { epoch, form: null, roster, earlier: seals, ...fresh }
  }
  if (group === null) return null
  const { epoch, roster } = group.form.envelope.payload
  return { epoch, form: group.form.id, roster, earlier: [], ...fresh }
}

/**
 * Members without whom the next group is formed, if it can be: who would not join, or had the time to and did not; and of a group that has
 * begun, who is away. One that was asked a moment ago has done nothing wrong.
 */
export function absentNow(context: Context, { formation, group }: Thread): readonly string[] {
  if (formation === null) {
    const roster = group?.form.envelope.payload.roster ?? []
    return roster.filter(did => did !== context.did && !context.connected.has(did))
  }
  const { roster, joins, declined, chosenAt } = formation
  const askedAt = Math.max(chosenAt, context.steadySince)
  const hadTime = context.nowMs >= askedAt + context.settings.joinMs
  return roster?.filter(did => !joins.has(did) && (hadTime || declined.has(did))) ?? []
}

/** Asks again after a while, also while members of the next group are chosen on a word that may be a liar's: messages get lost, and members come back. */
export function driveSealing(context: Context, thread: Thread): void {
  const { sealing } = thread
  if (sealing !== null && context.nowMs >= sealingDueAt(context, sealing))
    ask(context, thread, sealing)
}

/** When `driveSealing` has something to do. */
export function sealingDueAt(context: Context, sealing: Sealing): number {
  return sealing.sealed === null || sealing.isDoubtful
    ? sealing.askedAt + context.settings.retryMs
    : Number.POSITIVE_INFINITY
}

function ask(context: Context, thread: Thread, sealing: Sealing): void {
  const { epoch, roster, seals, declined } = sealing
  sealing.askedAt = context.nowMs
  if (sealing.beganAt === 0) sealing.beganAt = context.nowMs
  for (const did of roster) {
    if (seals.has(did)) continue
    if (did !== context.did) {
      context.send(did, { type: 'seal-ask', thread: thread.id, epoch })
      continue
    }
    const own = sealEpoch(context, thread, epoch)
    if (own.ok) takeSeal(sealing, { member: did, ...own.value })
    else declined.set(did, own.refusal.message)
  }
  settle(context, thread, sealing)
}

/** A member's answer to the question: its SEAL. */
export function onSealed(
  context: Context,
  thread: Thread,
  from: string,
  message: Extract<PeerMessage, { type: 'sealed' }>
): void {
  const { sealing } = thread
  if (sealing?.epoch !== message.epoch || !sealing.roster.includes(from)) return
  const { roster, digest, proposal, sig } = message
  const key = epochKey(thread, message.epoch)
  if ((digest === null) !== (proposal === null)) return
  if (!equals(roster, rosterHash(key, sealing.roster))) return
  if (!context.verify(from, sealBytes({ ...key, roster, digest, proposal }), sig)) return
  if (proposal !== null && !isEnvelopeId(proposal)) return
  const seal: MemberSeal = { member: from, digest, proposal, sig }
  const first = sealing.seals.get(from)
  const said = seenSeal(sealing.epoch, roster, seal)
  if (first !== undefined)
    compareSeals(context, thread, seenSeal(sealing.epoch, roster, first), said)
  watchSeal(context, thread, said)
  takeSeal(sealing, seal)
  settle(context, thread, sealing)
}

/** A SEAL as evidence has it. */
function seenSeal(epoch: number, roster: Uint8Array, seal: MemberSeal): SeenSeal {
  const { member, digest, sig } = seal
  const proposal = seal.proposal === null ? null : CID.parse(seal.proposal)
  return { member, epoch, seal: { roster, digest, proposal, sig } }
}

function takeSeal(sealing: Sealing, { member, digest, proposal, sig }: MemberSeal): void {
  if (sealing.seals.has(member)) return
  sealing.seals.set(member, { member, digest, proposal, sig })
}

/**
 * Ends the sealing once enough seals agree. A seal that comes later may show that what was believed for want of answers was one liar's
 * word: until members promise, nothing hangs on it.
 */
function settle(context: Context, thread: Thread, sealing: Sealing): void {
  const agreed = agreeing(context, thread, sealing)
  if (agreed === null) return
  const { epoch, form, roster } = sealing
  const { seals, isDoubtful } = agreed
  sealing.isDoubtful = isDoubtful && sealing.seals.size < roster.length
  if (sealing.sealedAt === 0) sealing.sealedAt = context.nowMs
  sealing.sealed = { epoch, form, roster, seals }
}

/**
 * Seals of a quorum that show one decision at most, and no other than is carried; null while there are none. A decision that is
 * certified shows in every quorum, so any such choice is safe, and a quorum that shows nothing proves that nothing is certified. What is carried, or certified
 * here, goes first; then nothing, so that no liar binds the next group to the bid that it likes; then what is known here and what most members show. What may
 * be a liar's word alone waits a while for the others' seals.
 */
function agreeing(
  context: Context,
  thread: Thread,
  sealing: Sealing
): { readonly seals: readonly MemberSeal[]; readonly isDoubtful: boolean } | null {
  const carried = carriedProposal(thread, sealing)
  const counts = new Map<string, number>([['', 0]])
  for (const seal of sealing.seals.values()) {
    if (carried !== null && seal.proposal !== null && seal.proposal !== carried) continue
    counts.set(shownBy(seal), (counts.get(shownBy(seal)) ?? 0) + 1)
  }
  const silent = counts.get('') ?? 0
  const settled = carried ?? thread.certifiedDecision()?.proposal.toString()
  const rank = (shown: string): number => {
    const [proposal = ''] = shown.split(' ')
    if (proposal === '') return 2
    return proposal === settled ? 3 : thread.envelopes.has(proposal) ? 1 : 0
  }
  const order = [...counts].sort(
    ([a, x], [b, y]) => rank(b) - rank(a) || y - x || compareText(a, b)
  )
  for (const [shown, count] of order) {
    const all = shown === '' ? silent : silent + count
    if (all < quorumOf(sealing.roster.length)) continue
    const isDoubtful = rank(shown) < 2 && count <= faultyMax(sealing)
    if (isDoubtful && isEarly(context, sealing)) continue
    const seals = sealing.roster.flatMap(member => {
      const seal = sealing.seals.get(member)
      return seal !== undefined && ['', shown].includes(shownBy(seal)) ? [seal] : []
    })
    return { seals, isDoubtful }
  }
  return null
}

/** Members of which a quorum may do without. */
function faultyMax({ roster }: Sealing): number {
  return roster.length - quorumOf(roster.length)
}

/** Whether members that have not answered yet may still do so. */
function isEarly(context: Context, { beganAt, roster, seals }: Sealing): boolean {
  return seals.size < roster.length && context.nowMs < beganAt + DOUBTS * context.settings.retryMs
}

/** What the epoch being sealed is bound to already. */
function carriedProposal(thread: Thread, sealing: Sealing): string | null {
  for (const { seals } of sealing.earlier)
    for (const { proposal } of seals) if (proposal !== null) return proposal
  const carried = carriedBy(thread.forms())
  return carried.ok ? (carried.value?.proposal ?? null) : null
}

/** As FORM shows it. */
export function toEpochSeal({ epoch, form, roster, seals }: SealedEpoch): EpochSeal {
  return {
    epoch,
    form: form === null ? null : CID.parse(form),
    roster: [...roster],
    seals: seals.map(({ member, digest, proposal, sig }) => ({
      member,
      digest,
      proposal: proposal === null ? null : CID.parse(proposal),
      sig
    }))
  }
}

/** What a sealing waits for, for people. */
export function sealingReason(sealing: Sealing): string {
  const quorum = quorumOf(sealing.roster.length)
  const why = [...sealing.declined.values()][0]
  const tail = why === undefined ? '' : `: ${quote(why)}`
  if (sealing.seals.size >= quorum)
    return `the members of epoch ${sealing.epoch} show different decisions: no new group can be formed`
  return `waiting for members to leave epoch ${sealing.epoch}: ${sealing.seals.size} of ${quorum} have${tail}`
}
