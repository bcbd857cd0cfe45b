import { EPOCHS_MAX, fromHex, ok, type Result, refuse, toHex } from '../base/index.ts'
import type { Admitted } from '../envelope/index.ts'
import { type EpochKey, joinBytes, rosterHash, sealBytes } from '../roster/index.ts'
import type { Context, OwnSeal } from './context.ts'
import type { Thread } from './thread.ts'
import type { Stage } from './types.ts'

/**
 * What a member promises for an epoch and never takes back: to join one roster (R9), and to take part no more (R11). Both are
 * on disk before the signature leaves; asked again, a member says the same.
 */

/** Where promises for a (slot, epoch) are kept. The slot is scoped by its requester. */
export function promiseKey(scopedSlot: string, epoch: number): string {
  return `${scopedSlot}/${epoch}`
}

/** Key of a finality lock: one digest for each slot, epoch and stage, ever (R10). */
export function lockKey(scopedSlot: string, epoch: number, stage: Stage): string {
  return `${promiseKey(scopedSlot, epoch)}/${stage}`
}

/** What a member signs about an epoch of this thread. */
export function epochKey(thread: Thread, epoch: number): EpochKey {
  return { thread: thread.id, slot: thread.need.envelope.payload.slot, epoch }
}

/** Refused where this node would join no roster of the epoch, whatever its members are. */
export function checkJoinable(context: Context, thread: Thread, epoch: number): Result<null> {
  if (hasSealed(context, thread.scopedSlot(), epoch))
    return refuse('SEALED', 'this node has sealed this epoch or a later one')
  // A tombstone stands for all promises of its slot and epochs (R12).
  if (context.tombstones.covers(thread.scopedSlot(), epoch))
    return refuse('PROMISED', 'this slot and epoch are over')
  const promised = context.joins.get(promiseKey(thread.scopedSlot(), epoch))
  if (promised !== undefined && promised.thread !== thread.id)
    return refuse('PROMISED', 'promised to another NEED for this slot and epoch')
  return ok(null)
}

/** Joins a roster, or says why not. */
export function promiseJoin(
  context: Context,
  thread: Thread,
  epoch: number,
  roster: readonly string[]
): Result<Uint8Array> {
  const joinable = checkJoinable(context, thread, epoch)
  if (!joinable.ok) return joinable
  const key = epochKey(thread, epoch)
  const hash = rosterHash(key, roster)
  const scoped = promiseKey(thread.scopedSlot(), epoch)
  const promised = context.joins.get(scoped)
  if (promised !== undefined && promised.roster !== toHex(hash))
    return refuse('PROMISED', 'promised to another roster for this slot and epoch')
  if (promised === undefined) {
    context.joins.set(scoped, { thread: thread.id, roster: toHex(hash) })
    context.persist(
      { type: 'join', thread: thread.id, slot: thread.scopedSlot(), epoch, rosterHash: hash },
      { sync: true }
    )
  }
  return ok(context.sign(joinBytes(key, hash)))
}

/** True when this node takes part in the (slot, epoch) no more: it sealed it, or a later one. */
export function hasSealed(context: Context, scopedSlot: string, epoch: number): boolean {
  for (let later = epoch; later < epoch + EPOCHS_MAX; later++)
    if (context.seals.has(promiseKey(scopedSlot, later))) return true
  return false
}

/** A SEAL with its signature. */
export type SignedSeal = Omit<OwnSeal, 'thread'> & { readonly sig: Uint8Array }

/**
 * Leaves an epoch for good and shows the decision that this node was locked on. Not when there is a result already: a requester
 * must not be able to take a COMMIT and stop the group that would judge it.
 */
export function sealEpoch(context: Context, thread: Thread, epoch: number): Result<SignedSeal> {
  const scoped = promiseKey(thread.scopedSlot(), epoch)
  const known = context.seals.get(scoped)
  if (known?.thread === thread.id) return ok(signed(context, thread, epoch, known))
  const joined = context.joins.get(scoped)
  if (joined?.thread !== thread.id)
    return refuse('SEAL_NOT_JOINED', 'this node has joined no group of this thread for the epoch')
  const refusal = reasonToStay(context, thread, epoch)
  if (refusal !== null) return refuse('SEAL_TOO_LATE', refusal)
  const lock = context.locks.get(lockKey(thread.scopedSlot(), epoch, 'decide'))
  const seal: OwnSeal = {
    thread: thread.id,
    roster: fromHex(joined.roster),
    digest: lock === undefined ? null : fromHex(lock.digest),
    proposal: lock?.proposal ?? null
  }
  context.seals.set(scoped, seal)
  context.persist({ type: 'sealed', slot: thread.scopedSlot(), epoch, ...seal }, { sync: true })
  if (thread.group !== null && thread.group.form.envelope.payload.epoch <= epoch)
    thread.member = null
  return ok(signed(context, thread, epoch, seal))
}

function reasonToStay(context: Context, thread: Thread, epoch: number): string | null {
  if (thread.isEnded()) return 'the thread has ended here'
  if (hasVotedOutcome(context, thread, epoch))
    return 'this node has voted for an outcome in this epoch'
  const { group } = thread
  const current = group?.form.envelope.payload.epoch
  if (group === null || current === undefined || current > epoch) return null
  // Who seals a later epoch takes part in none before it.
  if (current < epoch && !takesPart(context, thread, current)) return null
  if (hasVotedOutcome(context, thread, current))
    return 'this node has voted for an outcome in the epoch that goes on'
  if (group.log.state.commit !== null || awaitsCommit(context, thread))
    return 'there is a result in this epoch: the group judges it first'
  return null
}

function hasVotedOutcome({ locks }: Context, thread: Thread, epoch: number): boolean {
  return locks.has(lockKey(thread.scopedSlot(), epoch, 'outcome'))
}

/** Whether this node is bound to the thread's group of the epoch and has not left it. */
function takesPart(context: Context, thread: Thread, epoch: number): boolean {
  const joined = context.joins.get(promiseKey(thread.scopedSlot(), epoch))
  return joined?.thread === thread.id && !hasSealed(context, thread.scopedSlot(), epoch)
}

/**
 * How long a COMMIT that is not in the log keeps a member from sealing, in units of `retryMs`: what an election and another leader's entry
 * take. A leader that leaves it out, or a group that lost its majority, must not keep the requester from forming another for ever.
 */
const COMMIT_WAITS = 10

/** Whether a COMMIT of the group's epoch that waits for the log came a moment ago. Further ones do not make the wait longer. */
export function awaitsCommit({ nowMs, settings }: Context, thread: Thread): boolean {
  const [first] = unloggedCommits(thread)
  const seenAt = first === undefined ? undefined : thread.envelopes.get(first.id)?.seenAt
  return seenAt !== undefined && nowMs < seenAt + COMMIT_WAITS * settings.retryMs
}

/** COMMITs by the decided worker in the epoch of the thread's group that wait for the log, in order of arrival. */
function unloggedCommits(thread: Thread): readonly Admitted[] {
  if (thread.unlogged.size === 0) return []
  const worker = (thread.certifiedDecision() ?? thread.group?.log.state.decision)?.worker
  return [...thread.unlogged.values()].filter(
    one => one.verb === 'COMMIT' && one.sender === worker && one.envelope.epoch === thread.epoch()
  )
}

function signed(context: Context, thread: Thread, epoch: number, seal: OwnSeal): SignedSeal {
  const { roster, digest, proposal } = seal
  const sig = context.sign(sealBytes({ ...epochKey(thread, epoch), roster, digest, proposal }))
  return { roster, digest, proposal, sig }
}
