import { equals, toHex } from '../base/index.ts'
import type { Admitted, Certificate, Decision, Outcome } from '../envelope/index.ts'
import { decisionDigest, groupIdOf, outcomeDigest, quorumOf, voteBytes } from '../roster/index.ts'
import type { Context } from './context.ts'
import { threadDraft } from './drafts.ts'
import { watchVote } from './evidence.ts'
import { hasSealed, lockKey } from './promises.ts'
import type { Group, Thread } from './thread.ts'
import type { PeerMessage, Stage } from './types.ts'

/** The fold derived a decision or an outcome: a member locks it on disk, votes, and looks whether there is a certificate. */
export function onDerived(
  context: Context,
  thread: Thread,
  stage: Stage,
  body: Decision | Outcome
): void {
  const digest =
    stage === 'decide' ? decisionDigest(body as Decision) : outcomeDigest(body as Outcome)
  // What was foreseen and did not come to be committed counts no more.
  if (!isDerived(thread, stage, digest))
    thread.derived[stage] = { digest, atMs: context.nowMs, triedAt: 0, votedAt: 0 }
  thread.foreseen = null
  holdIfDue(context, thread)
  if (thread.member === null || thread.group === null) return
  const proposal = stage === 'decide' ? (body as Decision).proposal.toString() : null
  if (!lock(context, thread, stage, { digest, proposal })) {
    thread.warn(context, `this node is locked on another ${stage} for this slot and does not vote`)
    return
  }
  if (!hasVoted(context, thread, stage)) castVote(context, thread, thread.group, stage)
  certifyIfDue(context, thread, stage)
}

/**
 * A follower votes with its acknowledgement of the entry that decides, on the one fsync of both: votes of a quorum are then acknowledgements of a
 * majority, and so the commit (docs/decisions/0016). Should the entry be lost after all, this member does not vote for another decision.
 */
export function onForeseen(context: Context, thread: Thread, decision: Decision): void {
  const { group } = thread
  const digest = decisionDigest(decision)
  if (group === null || thread.derived.decide !== null) return
  if (!lock(context, thread, 'decide', { digest, proposal: decision.proposal.toString() })) return
  thread.derived.decide = { digest, atMs: context.nowMs, triedAt: 0, votedAt: 0 }
  thread.foreseen = decision
  castVote(context, thread, group, 'decide')
  holdIfDue(context, thread)
}

function isDerived(thread: Thread, stage: Stage, digest: Uint8Array): boolean {
  const derived = thread.derived[stage]
  return derived !== null && equals(derived.digest, digest)
}

/** Whether this node's vote is for what is derived now, and not for something that was only foreseen. */
function hasVoted(context: Context, thread: Thread, stage: Stage): boolean {
  const derived = thread.derived[stage]
  return derived !== null && thread.votes[stage].get(context.did)?.digest === toHex(derived.digest)
}

function lock(
  context: Context,
  thread: Thread,
  stage: Stage,
  { digest, proposal }: { readonly digest: Uint8Array; readonly proposal: string | null }
): boolean {
  if (hasSealed(context, thread.scopedSlot(), thread.epoch())) return false
  const key = lockKey(thread.scopedSlot(), thread.epoch(), stage)
  // A tombstone stands for all locks of its slot and epochs (R12).
  if (context.tombstones.covers(thread.scopedSlot(), thread.epoch())) return false
  const locked = context.locks.get(key)
  if (locked !== undefined) return locked.digest === toHex(digest)
  context.locks.set(key, { digest: toHex(digest), proposal })
  context.persist(
    { type: 'lock', slot: thread.scopedSlot(), epoch: thread.epoch(), stage, digest, proposal },
    { sync: true }
  )
  return true
}

function castVote(context: Context, thread: Thread, group: Group, stage: Stage): void {
  const derived = thread.derived[stage]
  if (derived === null) return
  derived.votedAt = context.nowMs
  const { slot, roster } = group.form.envelope.payload
  const sig = context.sign(
    voteBytes({ group: group.id, slot, epoch: thread.epoch(), stage, digest: derived.digest })
  )
  thread.votes[stage].set(context.did, { digest: toHex(derived.digest), sig })
  // The requester waits for the decision, also where it is no member.
  const { sender: requester } = thread.need.envelope
  const listeners = stage === 'decide' ? new Set([requester, ...roster]) : new Set(roster)
  for (const listener of listeners) {
    if (listener !== context.did)
      context.send(listener, { type: 'vote', group: group.id, stage, digest: derived.digest, sig })
  }
}

/** Another member's vote. The first of each member counts; a second, different one is a fault to be seen. */
export function onVote(
  context: Context,
  thread: Thread,
  from: string,
  message: Extract<PeerMessage, { type: 'vote' }>
): void {
  const form = formOfGroup(thread, message.group)
  if (form === undefined || !form.envelope.payload.roster.includes(from)) return
  const { slot, epoch } = form.envelope.payload
  const { stage, digest, sig } = message
  const { group } = message
  const isCurrent = form === thread.group?.form
  const first = isCurrent ? thread.votes[stage].get(from) : undefined
  if (first?.digest === toHex(digest) && equals(first.sig, sig))
    return onRepeatedVote(context, thread, stage, from)
  if (!context.verify(from, voteBytes({ group, slot, epoch, stage, digest }), sig)) return
  watchVote(context, thread, { member: from, stage, digest, sig, epoch, form: form.bytes })
  // A vote in an earlier epoch counts no more, but it may be one that its member denied when it sealed.
  if (!isCurrent) return
  if (first !== undefined && first.digest !== toHex(digest)) {
    thread.warn(context, `${from} voted for two different ${stage} digests`)
    return
  }
  thread.votes[stage].set(from, { digest: toHex(digest), sig })
  holdIfDue(context, thread)
  certifyIfDue(context, thread, stage)
}

/** Whoever has a decision and votes enough for it holds its certificate, and need not wait for somebody to publish it. */
function holdIfDue(context: Context, thread: Thread): void {
  const { group, decide, held } = thread
  const derived = thread.derived.decide
  if (group === null || derived === null || decide !== null || held !== null) return
  const decision = group.log.state.decision ?? thread.foreseen
  const certificate = assemble(thread, group, 'decide', derived.digest)
  if (decision === null || certificate === null) return
  thread.held = { decision, certificate }
  context.observe({ type: 'certified', thread: thread.id, atMs: context.nowMs })
}

/** The FORM of a group of this thread, the current one's or an earlier epoch's. */
function formOfGroup(thread: Thread, group: string): Admitted<'FORM'> | undefined {
  if (thread.group?.id === group) return thread.group.form
  return thread.previousForms().find(({ bytes }) => groupIdOf(bytes) === group)
}

/** Who votes again lacks the certificate: gossip lost it. */
function onRepeatedVote(context: Context, thread: Thread, stage: Stage, from: string): void {
  const certified = (stage === 'decide' ? thread.decide : null) ?? thread.end
  if (certified !== null)
    context.send(from, { type: 'envelopes', items: [certified.admitted.bytes] })
}

/**
 * How many times `retryMs` a leader may be silent before others publish what it should have: every member would keep their envelopes too, and the
 * requester holds the certificate by then.
 */
const SILENCE = 3

/** Publishes the certificate once there are votes enough: the leader at once, the others when the leader stays silent. */
function certifyIfDue(context: Context, thread: Thread, stage: Stage): void {
  const derived = thread.derived[stage]
  const { group, member } = thread
  if (derived === null || group === null || member === null || isCertified(thread, stage)) return
  // Not what is only foreseen: the leader knows of the commit a moment later.
  if (stage === 'decide' && group.log.state.decision === null) return
  const certificate = assemble(thread, group, stage, derived.digest)
  if (certificate === null) return
  const { retryMs } = context.settings
  const leads = member.raft.status().role === 'leader'
  const isFirst = derived.triedAt === 0
  if (isFirst && !leads && context.nowMs < derived.atMs + SILENCE * retryMs) return
  if (!isFirst && context.nowMs < derived.triedAt + 2 * retryMs) return
  derived.triedAt = context.nowMs
  publishCertified(context, thread, group, stage, certificate)
}

function assemble(
  thread: Thread,
  group: Group,
  stage: Stage,
  digest: Uint8Array
): Certificate | null {
  const { roster } = group.form.envelope.payload
  const wanted = toHex(digest)
  const votes = roster.flatMap(member => {
    const vote = thread.votes[stage].get(member)
    return vote !== undefined && vote.digest === wanted ? [{ member, sig: vote.sig }] : []
  })
  if (votes.length < quorumOf(roster.length)) return null
  return {
    form: group.form.bytes,
    previous: thread.previousForms().map(form => form.bytes),
    stage,
    digest,
    votes
  }
}

function publishCertified(
  context: Context,
  thread: Thread,
  group: Group,
  stage: Stage,
  certificate: Certificate
): void {
  const { decision, outcome } = group.log.state
  const epoch = thread.epoch()
  if (stage === 'decide' && decision !== null) {
    context.publish(
      threadDraft(
        context,
        thread,
        'DECIDE',
        { decision, certificate },
        { epoch, refs: [decision.proposal] }
      )
    )
  } else if (stage === 'outcome' && outcome !== null) {
    const verb = outcome.result === 'INVALID' ? 'INVALIDATE' : 'FINALIZE'
    context.publish(
      threadDraft(
        context,
        thread,
        verb,
        { outcome, certificate },
        { epoch, refs: outcome.commit === null ? [] : [outcome.commit] }
      )
    )
  }
}

function isCertified(thread: Thread, stage: Stage): boolean {
  return stage === 'decide' ? thread.decide !== null || thread.end !== null : thread.end !== null
}

/** Votes again and publishes again while a derived stage has no certificate: votes travel over lossy streams. */
export function driveFinality(context: Context, thread: Thread): void {
  if (thread.member === null || thread.group === null) return
  for (const stage of ['decide', 'outcome'] as const) {
    const derived = thread.derived[stage]
    if (derived === null || isCertified(thread, stage)) continue
    const isDue = context.nowMs - derived.votedAt >= context.settings.retryMs
    if (isDue && hasVoted(context, thread, stage)) castVote(context, thread, thread.group, stage)
    certifyIfDue(context, thread, stage)
  }
}

/** When `driveFinality` has something to do. */
export function finalityDueAt(context: Context, thread: Thread): number {
  if (thread.member === null || thread.group === null) return Number.POSITIVE_INFINITY
  const { retryMs } = context.settings
  const times = (['decide', 'outcome'] as const).map(stage => {
    const derived = thread.derived[stage]
    if (derived === null || isCertified(thread, stage)) return Number.POSITIVE_INFINITY
    const voteAt = hasVoted(context, thread, stage)
      ? derived.votedAt + retryMs
      : Number.POSITIVE_INFINITY
    const publishAt =
      derived.triedAt === 0 ? derived.atMs + SILENCE * retryMs : derived.triedAt + 2 * retryMs
    return Math.min(voteAt, publishAt)
  })
  return Math.min(...times)
}

/**
 * The certified stage that the entries here do not lead to, or null. They came from a liar, or from a leader that told this
 * member otherwise than the others.
 */
export function contradicted(thread: Thread): Stage | null {
  const { group, decide, end } = thread
  if (group === null) return null
  const { at, decision, outcome } = group.log.state
  if (decide !== null) {
    const certified = decide.admitted.envelope.payload.decision
    if (decision === null && at.index >= certified.index) return 'decide'
    if (decision !== null && !equals(decisionDigest(decision), decisionDigest(certified)))
      return 'decide'
  }
  if (end !== null) {
    if (outcome === null && at.index >= end.outcome.index) return 'outcome'
    if (outcome !== null && !equals(outcomeDigest(outcome), outcomeDigest(end.outcome)))
      return 'outcome'
  }
  return null
}
