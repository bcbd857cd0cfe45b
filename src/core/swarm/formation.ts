import { equals, toHex } from '../base/index.ts'
import { CID } from '../codec/index.ts'
import type { Payload } from '../envelope/index.ts'
import {
  drawOrder,
  effectiveK,
  followsDraw,
  GROUP_SIZE,
  joinBytes,
  rosterHash
} from '../roster/index.ts'
import type { Context } from './context.ts'
import { threadDraft } from './drafts.ts'
import type { Thread } from './thread.ts'
import type { PeerMessage } from './types.ts'

type Candidate = { readonly did: string; readonly manifest: string }

/** The requester's side of forming a group: invite, choose, bind, sign FORM. */
export type Formation = {
  readonly candidates: readonly Candidate[]
  readonly order: readonly string[]
  readonly invitedAt: number
  readonly available: Set<string>
  readonly declined: Map<string, string>
  /** Set once chosen; never changed, since members promise for good (R9). */
  roster: readonly string[] | null
  boundAt: number
  readonly joins: Map<string, Uint8Array>
  /** When FORM was handed to the signer; 0 before, and when the signer said no. */
  publishedAt: number
  /** Not before this time is FORM handed to the signer. */
  publishFrom: number
}

/** Starts or continues the formation of an own open thread. Called at every tick and event that may help it on. */
export function driveFormation(context: Context, thread: Thread): void {
  if (!isForming(context, thread)) return
  thread.formation ??= begin(context, thread)
  if (thread.formation !== null) choose(context, thread, thread.formation)
  const { formation } = thread
  if (formation === null) return
  rebind(context, thread, formation)
  publishForm(context, thread, formation)
}

/** True for an own open thread that has no group yet. */
export function isForming(context: Context, thread: Thread): boolean {
  return thread.need.envelope.sender === context.did && thread.group === null && !thread.isEnded()
}

/** A thread that is forming is looked at in every tick: it waits for peers, manifests and answers as much as for times. */
export function formationDueAt(context: Context, thread: Thread): number {
  return isForming(context, thread) ? 0 : Number.POSITIVE_INFINITY
}

/** What a formation waits for, for people. */
export function formationReason(context: Context, thread: Thread): string {
  const { formation } = thread
  if (thread.need.envelope.sender !== context.did)
    return 'waiting for the requester to form a group'
  if (formation === null) {
    const voters = candidatesOf(context).length
    return `only ${voters} voter(s) known and reachable, ${GROUP_SIZE} are needed: wait for peers, or state the NEED with --solo`
  }
  if (formation.roster === null)
    return `waiting for invited voters: ${formation.available.size} of ${GROUP_SIZE} are available`
  const missing = formation.roster.filter(did => !formation.joins.has(did))
  const why = missing.map(did => formation.declined.get(did)).find(reason => reason !== undefined)
  return `waiting for ${missing.length} member(s) to join${why === undefined ? '' : `: ${why}`}`
}

function begin(context: Context, thread: Thread): Formation | null {
  const solo = thread.need.envelope.payload.solo
  const candidates = solo
    ? candidatesOf(context).filter(candidate => candidate.did === context.did)
    : candidatesOf(context)
  if (candidates.length < (solo ? 1 : GROUP_SIZE)) return null
  const formation = newFormation(context, thread, candidates)
  for (const did of formation.order) {
    if (did !== context.did)
      context.send(did, { type: 'invite', need: thread.need.bytes, epoch: thread.epoch() })
  }
  return formation
}

function newFormation(
  context: Context,
  thread: Thread,
  candidates: readonly Candidate[]
): Formation {
  return {
    candidates,
    order: drawOrder(
      thread.id,
      thread.epoch(),
      candidates.map(candidate => candidate.did)
    ),
    invitedAt: context.nowMs,
    available: new Set([context.did]),
    declined: new Map(),
    roster: null,
    boundAt: 0,
    joins: new Map(),
    publishedAt: 0,
    publishFrom: 0
  }
}

/** Puts back a choice that was on disk: members may have promised to it already. */
export function restoreFormation(
  context: Context,
  thread: Thread,
  candidates: readonly Candidate[],
  roster: readonly string[]
): void {
  thread.formation = { ...newFormation(context, thread, candidates), roster }
}

/** Agents with a current manifest of this role that are reachable now, this node included. */
function reachable(context: Context, role: Payload<'MANIFEST'>['roles'][number]): Candidate[] {
  const agents: Candidate[] = []
  for (const [did, manifest] of context.manifests) {
    const { payload, notAfter } = manifest.envelope
    const isHere = did === context.did || context.connected.has(did)
    if (isHere && payload.roles.includes(role) && notAfter > context.nowMs)
      agents.push({ did, manifest: manifest.id })
  }
  return agents
}

/** Who is invited. */
function candidatesOf(context: Context): Candidate[] {
  return reachable(context, 'voter').slice(0, CANDIDATES_INVITED_MAX)
}

/** Invitations for one NEED; FORM names each candidate, so this bounds its size. */
const CANDIDATES_INVITED_MAX = 32

function choose(context: Context, thread: Thread, formation: Formation): void {
  if (formation.roster !== null) return
  const size = thread.need.envelope.payload.solo ? 1 : GROUP_SIZE
  const waited = context.nowMs - formation.invitedAt >= context.settings.inviteMs
  const first = formation.order.slice(0, size)
  const ready = formation.order.filter(did => formation.available.has(did))
  const settled = first.every(did => formation.available.has(did)) || waited
  if (!settled) return
  if (ready.length < size) {
    // Nobody has promised anything yet: begin anew with whoever is there then.
    thread.formation = null
    return
  }
  formation.roster = ready.slice(0, size)
  context.persist(
    {
      type: 'chosen',
      thread: thread.id,
      epoch: thread.epoch(),
      seals: [],
      candidates: formation.candidates,
      roster: formation.roster
    },
    { sync: true }
  )
  bind(context, thread, formation)
}

function bind(context: Context, thread: Thread, formation: Formation): void {
  const { roster, candidates } = formation
  if (roster === null) return
  formation.boundAt = context.nowMs
  for (const did of roster) {
    if (formation.joins.has(did)) continue
    if (did !== context.did) {
      context.send(did, {
        type: 'bind',
        thread: thread.id,
        epoch: thread.epoch(),
        candidates,
        roster
      })
      continue
    }
    const sig = promise(context, thread, roster)
    if (sig !== null) formation.joins.set(did, sig)
    else formation.declined.set(did, 'this node has promised another roster for this slot')
  }
}

function rebind(context: Context, thread: Thread, formation: Formation): void {
  if (formation.roster === null || formation.publishedAt > 0) return
  if (context.nowMs - formation.boundAt >= context.settings.retryMs)
    bind(context, thread, formation)
}

/** The one-shot promise: on disk first, then signed; the same roster again gives the same signature (R9). */
function promise(context: Context, thread: Thread, roster: readonly string[]): Uint8Array | null {
  const { slot } = thread.need.envelope.payload
  const key = { thread: thread.id, slot, epoch: thread.epoch() }
  const hash = rosterHash(key, roster)
  const scoped = joinKey(thread)
  // A tombstone stands for all promises of its slot and epochs (R12).
  if (context.tombstones.covers(thread.scopedSlot(), thread.epoch())) return null
  const promised = context.joins.get(scoped)
  if (promised !== undefined && promised !== toHex(hash)) return null
  if (promised === undefined) {
    context.joins.set(scoped, toHex(hash))
    context.persist(
      {
        type: 'join',
        thread: thread.id,
        slot: thread.scopedSlot(),
        epoch: thread.epoch(),
        rosterHash: hash
      },
      { sync: true }
    )
  }
  return context.sign(joinBytes(key, hash))
}

/** Key of a JOIN promise. */
export function joinKey(thread: Thread): string {
  return `${thread.scopedSlot()}/${thread.epoch()}`
}

function publishForm(context: Context, thread: Thread, formation: Formation): void {
  const { roster } = formation
  if (roster === null || formation.joins.size < roster.length) return
  // Once: a second FORM, even of the same roster, would be another group. A refused draft sets it back.
  if (formation.publishedAt > 0 || context.nowMs < formation.publishFrom) return
  formation.publishedAt = context.nowMs
  const need = thread.need.envelope.payload
  const verifiers = reachable(context, 'verifier').filter(({ did }) => did !== context.did).length
  const payload: Payload<'FORM'> = {
    need: thread.need.cid,
    slot: need.slot,
    epoch: thread.epoch(),
    seal: null,
    earlierSeals: [],
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
  context.publish(
    threadDraft(context, thread, 'FORM', payload, {
      epoch: thread.epoch(),
      refs: [thread.need.cid]
    })
  )
}

/** FORM did not become an envelope: no group has begun, so it may be tried again after a while. */
export function formAgainLater(context: Context, formation: Formation): void {
  formation.publishedAt = 0
  formation.publishFrom = context.nowMs + context.settings.retryMs * 5
}

/** A candidate's answer to an invitation or a binding, and the requester's bookkeeping of the answers. */
export function onFormationMessage(
  context: Context,
  thread: Thread,
  from: string,
  message: PeerMessage
): void {
  const { formation } = thread
  const requester = thread.need.envelope.sender
  if (message.type === 'invite' && from === requester) {
    context.send(from, { type: 'available', thread: thread.id, epoch: message.epoch })
  } else if (message.type === 'bind' && from === requester) {
    answerBind(context, thread, message)
  } else if (requester !== context.did || formation?.order.includes(from) !== true) {
    return
  } else if (message.type === 'available') {
    formation.available.add(from)
    driveFormation(context, thread)
  } else if (message.type === 'decline') {
    formation.declined.set(from, message.reason)
    if (formation.roster === null) formation.available.delete(from)
  } else if (message.type === 'join') {
    acceptJoin(context, thread, formation, from, message)
  }
}

function answerBind(
  context: Context,
  thread: Thread,
  message: Extract<PeerMessage, { type: 'bind' }>
): void {
  const requester = thread.need.envelope.sender
  const decline = (reason: string): void =>
    context.send(requester, { type: 'decline', thread: thread.id, epoch: message.epoch, reason })
  if (message.epoch !== thread.epoch()) return decline('another epoch')
  if (thread.isEnded()) return decline('the thread has ended here')
  // A promise for a second roster would help nobody but an equivocating requester.
  const bound = thread.group?.form.envelope.payload.roster ?? message.roster
  if (bound.join() !== message.roster.join())
    return decline('another FORM is known here for this slot and epoch')
  if (message.roster.length !== GROUP_SIZE || !message.roster.includes(context.did))
    return decline('not a roster of this group size with me in it')
  const order = drawOrder(
    thread.id,
    message.epoch,
    message.candidates.map(candidate => candidate.did)
  )
  if (!followsDraw(order, message.roster)) return decline('the roster does not follow the draw')
  const sig = promise(context, thread, message.roster)
  if (sig === null) return decline('promised to another roster for this slot and epoch')
  const { slot } = thread.need.envelope.payload
  const hash = rosterHash({ thread: thread.id, slot, epoch: message.epoch }, message.roster)
  context.send(requester, {
    type: 'join',
    thread: thread.id,
    epoch: message.epoch,
    rosterHash: hash,
    sig
  })
}

function acceptJoin(
  context: Context,
  thread: Thread,
  formation: Formation,
  from: string,
  message: Extract<PeerMessage, { type: 'join' }>
): void {
  if (formation.roster === null || !formation.roster.includes(from)) return
  const key = { thread: thread.id, slot: thread.need.envelope.payload.slot, epoch: thread.epoch() }
  const hash = rosterHash(key, formation.roster)
  if (!equals(hash, message.rosterHash) || !context.verify(from, joinBytes(key, hash), message.sig))
    return
  formation.joins.set(from, message.sig)
  driveFormation(context, thread)
}
