import { groupIdOf } from '../roster/index.ts'
import type { Context } from './context.ts'
import { lockKey, promiseKey } from './promises.ts'
import { batches } from './sync.ts'
import type { Thread } from './thread.ts'
import { type Tombstone, tombstoneUntil } from './tombstones.ts'
import type { ArchivedThread, JournalRecord } from './types.ts'
import { viewOf } from './view.ts'
import type { World } from './world.ts'

/** When archiving that was not confirmed is asked for again, in ms: the disk may have been full. */
const ARCHIVE_RETRY_MS = 30_000
/** How often tombstones are looked through for those whose time has passed, in ms. A look reads all of them. */
const PRUNE_MS = 10 * 60_000

/** From when on an ended thread is to be archived: at once when that is in the past, never while it is open. */
export function archiveDueAt({ context }: World, thread: Thread): number {
  if (!thread.isEnded()) return Number.POSITIVE_INFINITY
  if (thread.archiving !== null) return thread.archiving.askedAt + ARCHIVE_RETRY_MS
  const { lingerMs, lingerIncompleteMs } = context.settings
  return thread.changedAt + (isSettled(context, thread) ? lingerMs : lingerIncompleteMs)
}

/**
 * Whether nothing more can come: the whole log up to the certified outcome is here, or this node gave up its own NEED without a group,
 * which nobody else can form. Otherwise the certificate or the log may still come from a peer that was away.
 */
function isSettled(context: Context, thread: Thread): boolean {
  if (thread.isComplete()) return true
  return (
    thread.abandoned !== null &&
    thread.group === null &&
    thread.need.envelope.sender === context.did
  )
}

/** Hands a thread that has been quiet for long enough to the archive; `onArchived` follows when it is there. */
export function archiveIfDue(world: World, thread: Thread): void {
  if (world.context.nowMs >= archiveDueAt(world, thread)) archiveNow(world, thread)
}

/** Hands an ended thread to the archive now. */
export function archiveNow(world: World, thread: Thread): void {
  const { context } = world
  thread.archiving = { askedAt: context.nowMs, mark: markOf(context, thread) }
  context.archive(thread.id, archivedThread(context, thread))
}

/** The thread is in the archive for good: a tombstone takes its place (R12), unless it went on meanwhile. */
export function onArchived(world: World, id: string): void {
  const thread = world.thread(id)
  if (thread === undefined || thread.archiving === null) return
  const { mark } = thread.archiving
  thread.archiving = null
  const { context } = world
  if (mark !== markOf(context, thread)) return
  const tombstone = tombstoneOf(context, thread)
  context.persist({ type: 'tombstone', ...tombstone }, { sync: false })
  bury(world, tombstone)
  context.observe({ type: 'archived', thread: id, atMs: context.nowMs })
}

/** Puts a tombstone in the place of a thread and of all that it held. Also for one read back from disk. */
export function bury(world: World, tombstone: Tombstone): void {
  const { context } = world
  const { thread: id, epoch } = tombstone
  context.tombstones.add(tombstone)
  const thread = world.threads.get(id)
  const groups = thread === undefined ? [] : groupsOf(thread)
  for (const group of groups) {
    world.groups.delete(group)
    world.restored.delete(group)
  }
  context.image.forgetThread(id, groups)
  world.early.forget(id)
  if (thread !== undefined) world.forget(thread)
  for (let past = 0; past <= (epoch ?? -1); past++) forgetPromises(context, tombstone, past)
}

/**
 * What this node promised in one epoch of the thread that is buried: its tombstone says it now. A requester may have stated two NEEDs about one
 * slot; what was promised for the other stays for as long as that is open.
 */
function forgetPromises(
  { image, joins, locks, seals, chosen }: Context,
  { thread, slot }: Tombstone,
  epoch: number
): void {
  const key = promiseKey(slot, epoch)
  if (chosen.get(key) === thread) chosen.delete(key)
  if ((joins.get(key)?.thread ?? thread) !== thread) return
  joins.delete(key)
  seals.delete(key)
  for (const stage of ['decide', 'outcome'] as const) locks.delete(lockKey(slot, epoch, stage))
  image.forgetEpoch(slot, epoch)
}

/** Whether this node promised anything for this slot up to this epoch that the tombstone would take the place of. */
export function promisedIn(context: Context, { thread, slot, epoch }: Tombstone): boolean {
  const { joins, locks, seals, chosen } = context
  for (let past = 0; past <= (epoch ?? -1); past++) {
    const key = promiseKey(slot, past)
    if (chosen.get(key) === thread) return true
    if ((joins.get(key)?.thread ?? thread) !== thread) continue
    const isLocked =
      locks.has(lockKey(slot, past, 'decide')) || locks.has(lockKey(slot, past, 'outcome'))
    if (joins.has(key) || seals.has(key) || isLocked) return true
  }
  return false
}

/** Forgets old tombstones now and then. */
export function pruneTombstones(world: World): void {
  const { context } = world
  if (context.nowMs - world.prunedAt < PRUNE_MS) return
  world.prunedAt = context.nowMs
  context.tombstones.prune(context.nowMs)
}

function tombstoneOf(context: Context, thread: Thread): Tombstone {
  const { expiresAt } = thread.need.envelope.payload
  const last = Math.max(expiresAt, thread.need.envelope.notAfter, context.nowMs)
  const decision =
    thread.decide?.admitted.envelope.payload.decision.proposal ??
    thread.group?.log.state.decision?.proposal ??
    null
  return {
    thread: thread.id,
    slot: thread.scopedSlot(),
    epoch: boundEpoch(context, thread),
    decision: decision?.toString() ?? null,
    phase: thread.phase(),
    until: tombstoneUntil(last),
    ...(isBystander(context, thread) && { spare: true })
  }
}

/** Records that a node writes of a thread in which it promised nothing and said nothing. */
export const SEEN_ONLY: ReadonlySet<JournalRecord['type']> = new Set([
  'envelope',
  'learned',
  'abandoned',
  'warned'
])

/** Whether this node only watches the thread. */
export function isBystander(context: Context, thread: Thread): boolean {
  if (thread.member !== null || thread.senders.has(context.did)) return false
  return context.image.ofThread(thread.id).every(({ type }) => SEEN_ONLY.has(type))
}

/** Lets go of a thread that this node only watches, as if it had never heard of it. */
export function letGo(world: World, thread: Thread): void {
  world.context.image.forgetThread(thread.id, groupsOf(thread))
  world.early.forget(thread.id)
  world.forget(thread)
  world.context.observe({ type: 'let-go', thread: thread.id, atMs: world.context.nowMs })
}

/** The highest epoch of which there was a group, or in which this node promised something. */
function boundEpoch(context: Context, thread: Thread): number | null {
  let bound = thread.group === null ? -1 : thread.epoch()
  for (const record of context.image.ofThread(thread.id)) {
    if ('epoch' in record && record.epoch !== null) bound = Math.max(bound, record.epoch)
  }
  return bound < 0 ? null : bound
}

function groupsOf(thread: Thread): string[] {
  const groups: string[] = []
  for (const { admitted } of thread.envelopes.values())
    if (admitted.verb === 'FORM') groups.push(groupIdOf(admitted.bytes))
  return groups
}

/** What would be different if something had come meanwhile. */
function markOf(context: Context, thread: Thread): string {
  const proofs = context.evidence.of(thread.id).length
  return `${thread.envelopes.size} ${thread.group?.entries.length ?? 0} ${thread.phase()} ${proofs}`
}

/**
 * The thread as records that bring it back in `reviveThread`: what the journal has of it, in order, then the log as one. Raft's own state is
 * of no use any more: a group that has ended is never a member's again.
 */
function archivedThread(context: Context, thread: Thread): ArchivedThread {
  const view = viewOf(context, thread)
  const records: JournalRecord[] = context.image
    .ofThread(thread.id)
    .filter(record => record.type !== 'learned')
  const { group } = thread
  for (const part of batches(group?.entries ?? [], entry => entry.data.length + 16))
    records.push({ type: 'learned', thread: thread.id, group: group?.id ?? '', entries: part })
  for (const { bytes } of context.evidence.of(thread.id)) records.push({ type: 'evidence', bytes })
  if (thread.warnings.length > 0)
    records.push({ type: 'warned', thread: thread.id, warnings: [...thread.warnings] })
  const { slot, task, phase, reason, requester, expiresAt, openedAt } = view
  const line = { thread: thread.id, slot, task, phase, reason, requester, expiresAt, openedAt }
  return { summary: { ...line, void: view.void }, records }
}
