import { CANDIDATES_MAX, EPOCHS_MAX, equals } from '../base/index.ts'
import { CID } from '../codec/index.ts'
import { type Admitted, type Payload, parseEnvelope, signedBytes } from '../envelope/index.ts'
import {
  drawOrder,
  effectiveK,
  followsDraw,
  GROUP_SIZES,
  joinBytes,
  rosterHash
} from '../roster/index.ts'
import { type Candidate, reachable, showsVoter } from './candidates.ts'
import type { Context } from './context.ts'
import { threadDraft } from './drafts.ts'
import { watchJoins } from './evidence.ts'
import type { Formation } from './formation.ts'
import { checkJoinable, epochKey, promiseJoin } from './promises.ts'
import { toEpochSeal } from './sealing.ts'
import type { Thread } from './thread.ts'
import type { PeerMessage } from './types.ts'

type Bind = Extract<PeerMessage, { type: 'bind' }>

/** Asks the chosen members to join; those who have are not asked again. */
export function bind(context: Context, thread: Thread, formation: Formation): void {
  const { roster } = formation
  if (roster === null) return
  formation.boundAt = context.nowMs
  for (const did of roster) {
    if (formation.joins.has(did)) continue
    if (did !== context.did) {
      sendBind(context, thread, formation, did)
      continue
    }
    const promised = promiseJoin(context, thread, formation.epoch, roster)
    if (promised.ok) formation.joins.set(did, promised.value)
    else formation.declined.set(did, promised.refusal.message)
  }
}

function sendBind(context: Context, thread: Thread, formation: Formation, to: string): void {
  const { epoch, candidates, roster } = formation
  if (roster !== null)
    context.send(to, { type: 'bind', thread: thread.id, epoch, candidates, roster })
}

/** Asks again after a while whoever has not joined. */
export function rebind(context: Context, thread: Thread, formation: Formation): void {
  if (formation.roster === null || formation.publishedAt > 0) return
  if (context.nowMs - formation.boundAt >= context.settings.retryMs)
    bind(context, thread, formation)
}

/** A member that cannot check who the candidates are is sent their manifests, and asked again. */
export function tellManifests(
  context: Context,
  thread: Thread,
  formation: Formation,
  { member, ids }: { readonly member: string; readonly ids: readonly string[] }
): void {
  const toldAt = formation.told.get(member)
  if (formation.roster?.includes(member) !== true) return
  if (toldAt !== undefined && context.nowMs - toldAt < context.settings.retryMs) return
  formation.told.set(member, context.nowMs)
  const wanted = new Set(ids)
  const items = [...formation.manifests].flatMap(([id, bytes]) => (wanted.has(id) ? [bytes] : []))
  const { epoch } = formation
  context.send(member, { type: 'manifests', thread: thread.id, epoch, items })
  sendBind(context, thread, formation, member)
}

export function acceptJoin(
  context: Context,
  thread: Thread,
  formation: Formation,
  join: { readonly member: string; readonly rosterHash: Uint8Array; readonly sig: Uint8Array }
): void {
  if (formation.roster === null || !formation.roster.includes(join.member)) return
  const key = epochKey(thread, formation.epoch)
  const hash = rosterHash(key, formation.roster)
  if (!equals(hash, join.rosterHash)) {
    const sig = formation.joins.get(join.member)
    const other = { roster: join.rosterHash, sig: join.sig }
    if (sig !== undefined)
      watchJoins(context, thread, join.member, formation.epoch, [{ roster: hash, sig }, other])
    return
  }
  if (context.verify(join.member, joinBytes(key, hash), join.sig))
    formation.joins.set(join.member, join.sig)
}

/** Signs FORM once everybody has joined. */
export function publishForm(context: Context, thread: Thread, formation: Formation): void {
  const { roster, epoch } = formation
  if (roster === null || formation.joins.size < roster.length) return
  // Once: a second FORM, even of the same roster, would be another group. A refused draft sets it back.
  if (formation.publishedAt > 0 || context.nowMs < formation.publishFrom) return
  formation.publishedAt = context.nowMs
  const need = thread.need.envelope.payload
  const verifiers = reachable(context, 'verifier').filter(({ did }) => did !== context.did).length
  const seals = formation.seals.map(toEpochSeal)
  const payload: Payload<'FORM'> = {
    need: thread.need.cid,
    slot: need.slot,
    epoch,
    seal: seals.at(-1) ?? null,
    earlierSeals: seals.slice(0, -1),
    checkpoint: null,
    tier: need.solo ? 'single' : 'discovery',
    candidates: formation.candidates.map(candidate => ({
      did: candidate.did,
      manifest: CID.parse(candidate.manifest)
    })),
    roster: [...roster],
    joins: roster.map(member => ({ member, sig: formation.joins.get(member) as Uint8Array })),
    kPlan: need.solo ? 1 : effectiveK(need.kPlan, verifiers),
    kResult: need.solo ? 1 : effectiveK(need.kResult, verifiers),
    quorum: 'more-than-two-thirds',
    precisionMs: context.settings.precisionMs
  }
  context.publish(threadDraft(context, thread, 'FORM', payload, { epoch, refs: [thread.need.cid] }))
}

/** A candidate's answer: it is there; or it would decline whatever roster it was asked to join, so that no epoch is lost over it. */
export function answerInvite(context: Context, thread: Thread, epoch: number): void {
  const { sender } = thread.need.envelope
  const reason = reasonAgainst(context, thread, epoch)
  if (reason === null) context.send(sender, { type: 'available', thread: thread.id, epoch })
  else context.send(sender, { type: 'decline', thread: thread.id, epoch, reason })
}

/** A member's answer: the promise, a question for manifests, or why not. */
export function answerBind(context: Context, thread: Thread, message: Bind): void {
  const requester = thread.need.envelope.sender
  const { epoch, roster } = message
  const decline = (reason: string): void =>
    context.send(requester, { type: 'decline', thread: thread.id, epoch, reason })
  const flaw = flawOf(context, thread, message)
  if (flaw !== null) return decline(flaw)
  const manifests = message.candidates
    .filter(candidate => !isKnownVoter(context, thread, candidate))
    .map(({ manifest }) => manifest)
  if (manifests.length > 0)
    return context.send(requester, { type: 'lacking', thread: thread.id, epoch, manifests })
  const promised = promiseJoin(context, thread, epoch, roster)
  if (!promised.ok) return decline(promised.refusal.message)
  context.send(requester, {
    type: 'join',
    thread: thread.id,
    epoch,
    rosterHash: rosterHash(epochKey(thread, epoch), roster),
    sig: promised.value
  })
}

/** Why this node would join no group of the epoch, or null. */
function reasonAgainst(context: Context, thread: Thread, epoch: number): string | null {
  const first = thread.need.envelope.payload.epoch
  if (epoch < first || epoch >= first + EPOCHS_MAX) return 'another epoch'
  if (thread.isEnded()) return 'the thread has ended here'
  if (thread.group !== null && thread.epoch() > epoch) return 'a later epoch is known here'
  const joinable = checkJoinable(context, thread, epoch)
  return joinable.ok ? null : joinable.refusal.message
}

function flawOf(context: Context, thread: Thread, message: Bind): string | null {
  const { epoch, roster, candidates } = message
  const reason = reasonAgainst(context, thread, epoch)
  if (reason !== null) return reason
  // A promise for a second roster would help nobody but an equivocating requester.
  const known = thread.group?.form.envelope.payload
  if (known?.epoch === epoch && known.roster.join() !== roster.join())
    return 'another FORM is known here for this slot and epoch'
  if (!GROUP_SIZES.includes(roster.length) || !roster.includes(context.did))
    return 'not a roster of a group size with me in it'
  const order = drawOrder(
    thread.id,
    epoch,
    candidates.map(candidate => candidate.did)
  )
  return followsDraw(order, roster) ? null : 'the roster does not follow the draw'
}

/** Members look at the candidates themselves: each is a voter by its own signed manifest. */
function isKnownVoter(context: Context, thread: Thread, { did, manifest }: Candidate): boolean {
  const known = context.manifests.get(did)
  if (known?.id === manifest) return showsVoter(context, known)
  return thread.vouched.get(manifest) === did
}

/** Manifests that this node asked for. Nothing else looks at them: newer ones come by gossip. */
export function takeManifests(
  context: Context,
  thread: Thread,
  message: Extract<PeerMessage, { type: 'manifests' }>
): void {
  for (const bytes of message.items) {
    if (thread.vouched.size >= CANDIDATES_MAX * EPOCHS_MAX) return
    const parsed = parseEnvelope(bytes)
    if (!parsed.ok || parsed.value.envelope.verb !== 'MANIFEST') continue
    const manifest = parsed.value as Admitted<'MANIFEST'>
    const { envelope, id } = manifest
    if (thread.vouched.has(id) || !showsVoter(context, manifest)) continue
    if (context.verify(envelope.sender, signedBytes(manifest), envelope.sig))
      thread.vouched.set(id, envelope.sender)
  }
}
