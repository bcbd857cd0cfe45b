import { quote } from '../need/index.ts'
import { drawOrder } from '../roster/index.ts'
import {
  acceptJoin,
  answerBind,
  answerInvite,
  bind,
  publishForm,
  rebind,
  takeManifests,
  tellManifests
} from './binding.ts'
import { type Candidate, firstCandidates, laterCandidates, reachable } from './candidates.ts'
import type { Context } from './context.ts'
import { promiseKey, sealEpoch } from './promises.ts'
import { driveSealing, onSealed, type Sealing, sealingDueAt, sealingReason } from './sealing.ts'
import type { Thread } from './thread.ts'
import type { PeerMessage, SealedEpoch } from './types.ts'
import { isVoid } from './void.ts'

/** The requester's side of forming the group of one epoch: invite, choose, bind, sign FORM. */
export type Formation = {
  readonly epoch: number
  /** What FORM will show of the epochs before, as known when its members were chosen; empty in the NEED's own epoch. */
  seals: readonly SealedEpoch[]
  readonly candidates: readonly Candidate[]
  /** MANIFESTs of the candidates, by id, as they were when these were drawn: an agent that starts again states a newer one. */
  readonly manifests: ReadonlyMap<string, Uint8Array>
  readonly order: readonly string[]
  readonly invitedAt: number
  readonly available: Set<string>
  readonly declined: Map<string, string>
  /** Set once chosen; never changed, since members promise for good (R9). */
  roster: readonly string[] | null
  chosenAt: number
  boundAt: number
  readonly joins: Map<string, Uint8Array>
  /** Members that were sent the manifests that they lacked, and when. */
  readonly told: Map<string, number>
  /** When FORM was handed to the signer; 0 before, and when the signer said no. */
  publishedAt: number
  /** Not before this time is FORM handed to the signer. */
  publishFrom: number
}

/** Starts or continues the formation of an own open thread. Called at every tick and event that may help it on. */
export function driveFormation(context: Context, thread: Thread): void {
  if (isVoid(context, thread)) return
  if (isOwnOpen(context, thread)) driveSealing(context, thread)
  if (!isForming(context, thread)) return
  thread.formation ??= begin(context, thread)
  if (thread.formation !== null) choose(context, thread, thread.formation)
  const { formation } = thread
  if (formation === null) return
  rebind(context, thread, formation)
  publishForm(context, thread, formation)
}

/** True for a thread of this node's own NEED that has not ended. */
export function isOwnOpen(context: Context, thread: Thread): boolean {
  return thread.need.envelope.sender === context.did && !thread.isEnded()
}

/** True for an own open thread that has no group yet for the epoch that it is in. */
function isForming(context: Context, thread: Thread): boolean {
  if (!isOwnOpen(context, thread)) return false
  if (thread.formation !== null) return true
  return thread.sealing === null ? thread.group === null : thread.sealing.sealed !== null
}

/** A thread that is forming is looked at in every tick: it waits for peers, manifests and answers as much as for times. */
export function formationDueAt(context: Context, thread: Thread): number {
  if (isVoid(context, thread)) return Number.POSITIVE_INFINITY
  if (isForming(context, thread)) return 0
  const { sealing } = thread
  return sealing === null || thread.isEnded()
    ? Number.POSITIVE_INFINITY
    : sealingDueAt(context, sealing)
}

/** Members that the group is to have. */
export function sizeOf(context: Context, thread: Thread): number {
  return thread.need.envelope.payload.solo ? 1 : context.settings.groupSize
}

/** What a formation waits for, for people. */
export function formationReason(context: Context, thread: Thread): string {
  const { formation, sealing } = thread
  const size = sizeOf(context, thread)
  if (thread.need.envelope.sender !== context.did)
    return 'waiting for the requester to form a group'
  if (sealing !== null && sealing.sealed === null) return sealingReason(sealing)
  if (formation === null && isTaken(context, thread, nextEpoch(thread)))
    return 'another NEED of this node has the slot and epoch: state it again with a slot of its own'
  if (formation === null && isBusyForming(context))
    return 'waiting for other NEEDs of this node to form their groups'
  if (formation === null) {
    const voters = invited(context, thread).length
    if (voters >= size) return 'about to invite voters'
    return `only ${voters} voter(s) known and reachable, ${size} are needed: wait for peers, or state the NEED with --solo`
  }
  if (formation.roster === null)
    return `waiting for invited voters: ${formation.available.size} of ${size} are available`
  const missing = formation.roster.filter(did => !formation.joins.has(did))
  const why = missing.map(did => formation.declined.get(did)).find(reason => reason !== undefined)
  return `waiting for ${missing.length} member(s) to join${why === undefined ? '' : `: ${quote(why)}`}`
}

function invited(context: Context, thread: Thread): Candidate[] {
  if (thread.need.envelope.payload.solo)
    return reachable(context, 'voter').filter(({ did }) => did === context.did)
  const { sealing, absences } = thread
  if (sealing === null) return firstCandidates(context)
  const waitedMs = sealing.sealedAt === 0 ? 0 : context.nowMs - sealing.sealedAt
  const rounds = Math.floor(waitedMs / context.settings.joinMs)
  return laterCandidates(context, { size: sizeOf(context, thread), absences, rounds })
}

/**
 * Whether another NEED of this node has the slot and epoch: groups of both could have no member in common, and certify one decision
 * each (R8).
 */
function isTaken(context: Context, thread: Thread, epoch: number): boolean {
  const key = promiseKey(thread.scopedSlot(), epoch)
  const owner = context.chosen.get(key) ?? thread.id
  return owner !== thread.id || context.tombstones.covers(thread.scopedSlot(), epoch)
}

function nextEpoch({ need, sealing }: Thread): number {
  return sealing?.sealed == null ? need.envelope.payload.epoch : sealing.epoch + 1
}

/**
 * Groups that one requester forms at once. The others wait here: begun all together they would fill the queues of every node, time
 * out, and be begun anew. With sixteen, five requesters did that to two processors: most invitations were sent again.
 */
const FORMING_MAX = 8
/** ms after which a formation does not hold others up: it waits for somebody and costs nobody anything. */
const FORMING_MS = 5_000

function isBusyForming({ forming, nowMs }: Context): boolean {
  for (const [thread, since] of forming) {
    if (nowMs - since < FORMING_MS) break
    forming.delete(thread)
  }
  return forming.size >= FORMING_MAX
}

function begin(context: Context, thread: Thread): Formation | null {
  if (isBusyForming(context)) return null
  if (isTaken(context, thread, nextEpoch(thread))) return null
  const candidates = invited(context, thread)
  if (candidates.length < sizeOf(context, thread)) {
    if (!thread.need.envelope.payload.solo) context.seekVoters()
    return null
  }
  const { sealing } = thread
  const formation =
    sealing?.sealed == null
      ? newFormation(context, thread, {
          epoch: thread.need.envelope.payload.epoch,
          seals: [],
          candidates
        })
      : newFormation(context, thread, {
          epoch: sealing.epoch + 1,
          seals: sealsBefore(sealing, sealing.sealed),
          candidates
        })
  context.forming.set(thread.id, context.nowMs)
  for (const did of formation.order) {
    if (did !== context.did)
      context.send(did, { type: 'invite', need: thread.need.bytes, epoch: formation.epoch })
  }
  return formation
}

/** What is sealed before the epoch that follows. */
function sealsBefore({ earlier }: Sealing, last: SealedEpoch): readonly SealedEpoch[] {
  return [...earlier, last]
}

type Chosen = Pick<Formation, 'epoch' | 'seals' | 'candidates'>

function newFormation(context: Context, thread: Thread, chosen: Chosen): Formation {
  return {
    ...chosen,
    manifests: manifestsOf(context, chosen.candidates),
    order: drawOrder(
      thread.id,
      chosen.epoch,
      chosen.candidates.map(candidate => candidate.did)
    ),
    invitedAt: context.nowMs,
    available: new Set([context.did]),
    declined: new Map(),
    roster: null,
    chosenAt: 0,
    boundAt: 0,
    joins: new Map(),
    told: new Map(),
    publishedAt: 0,
    publishFrom: 0
  }
}

function manifestsOf(
  context: Context,
  candidates: readonly Candidate[]
): ReadonlyMap<string, Uint8Array> {
  const held = candidates.flatMap(({ did, manifest }) => {
    const known = context.manifests.get(did)
    return known?.id === manifest ? [[manifest, known.bytes] as const] : []
  })
  return new Map(held)
}

/** Puts back a choice that was on disk: members may have promised to it already. */
export function restoreFormation(
  context: Context,
  thread: Thread,
  chosen: Chosen & { readonly roster: readonly string[] }
): void {
  if (thread.group !== null && thread.epoch() >= chosen.epoch) return
  const { epoch, seals, candidates, roster } = chosen
  thread.formation = { ...newFormation(context, thread, { epoch, seals, candidates }), roster }
  thread.sealing = null
}

function choose(context: Context, thread: Thread, formation: Formation): void {
  if (formation.roster !== null) return
  const size = sizeOf(context, thread)
  const waited = context.nowMs - formation.invitedAt >= context.settings.inviteMs
  const first = formation.order.filter(did => !formation.declined.has(did)).slice(0, size)
  const ready = formation.order.filter(did => formation.available.has(did))
  const isComplete = first.length === size && first.every(did => formation.available.has(did))
  const settled = isComplete || waited
  if (!settled) return
  if (ready.length < size || isTaken(context, thread, formation.epoch)) {
    // Nobody has promised anything yet: begin anew with whoever is there then.
    if (ready.length < size) context.seekVoters()
    thread.formation = null
    context.forming.delete(thread.id)
    return
  }
  formation.roster = ready.slice(0, size)
  context.chosen.set(promiseKey(thread.scopedSlot(), formation.epoch), thread.id)
  formation.chosenAt = context.nowMs
  const { sealing } = thread
  if (sealing?.sealed != null) formation.seals = sealsBefore(sealing, sealing.sealed)
  thread.sealing = null
  context.persist(
    {
      type: 'chosen',
      thread: thread.id,
      epoch: formation.epoch,
      seals: formation.seals,
      candidates: formation.candidates,
      roster: formation.roster
    },
    { sync: true }
  )
  bind(context, thread, formation)
}

/** FORM did not become an envelope: no group has begun, so it may be tried again after a while. */
export function formAgainLater(context: Context, formation: Formation): void {
  formation.publishedAt = 0
  formation.publishFrom = context.nowMs + context.settings.retryMs * 5
}

/** A candidate's answers to the requester, and the requester's bookkeeping of theirs. */
export function onFormationMessage(
  context: Context,
  thread: Thread,
  from: string,
  message: PeerMessage
): void {
  if (from === thread.need.envelope.sender) answerRequester(context, thread, from, message)
  else if (thread.need.envelope.sender === context.did) onAnswer(context, thread, from, message)
}

function answerRequester(
  context: Context,
  thread: Thread,
  requester: string,
  message: PeerMessage
): void {
  if (message.type === 'invite') answerInvite(context, thread, message.epoch)
  else if (message.type === 'bind') answerBind(context, thread, message)
  else if (message.type === 'manifests') takeManifests(context, thread, message)
  else if (message.type === 'seal-ask') answerSealAsk(context, thread, requester, message.epoch)
}

function answerSealAsk(context: Context, thread: Thread, requester: string, epoch: number): void {
  const sealed = sealEpoch(context, thread, epoch)
  if (sealed.ok)
    context.send(requester, { type: 'sealed', thread: thread.id, epoch, ...sealed.value })
  else
    context.send(requester, {
      type: 'decline',
      thread: thread.id,
      epoch,
      reason: sealed.refusal.message
    })
}

function onAnswer(context: Context, thread: Thread, from: string, message: PeerMessage): void {
  const { formation, sealing } = thread
  if (message.type === 'sealed') {
    onSealed(context, thread, from, message)
    return driveFormation(context, thread)
  }
  const isAsked = sealing?.roster.includes(from) === true
  if (message.type === 'decline' && isAsked && sealing.epoch === message.epoch)
    sealing.declined.set(from, message.reason)
  if (formation === null || !('epoch' in message) || message.epoch !== formation.epoch) return
  if (!formation.order.includes(from)) return
  if (message.type === 'available') {
    formation.available.add(from)
    if (formation.roster === null) formation.declined.delete(from)
    driveFormation(context, thread)
  } else if (message.type === 'decline') {
    formation.declined.set(from, message.reason)
    if (formation.roster !== null) return
    formation.available.delete(from)
    driveFormation(context, thread)
  } else if (message.type === 'lacking') {
    tellManifests(context, thread, formation, { member: from, ids: message.manifests })
  } else if (message.type === 'join') {
    acceptJoin(context, thread, formation, { member: from, ...message })
    driveFormation(context, thread)
  }
}
