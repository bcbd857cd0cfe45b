import { isPointless, type NeedState } from '../need/index.ts'
import type { LogEntry } from '../raft/index.ts'
import type { Context } from './context.ts'
import { contradicted, onDerived, onForeseen } from './finality.ts'
import { LOG_INDEX_MAX, Member } from './member.ts'
import { hasSealed } from './promises.ts'
import { isWithinRoom } from './room.ts'
import { participants, pickPeer, pull, sendLog } from './sync.ts'
import type { Thread } from './thread.ts'
import type { PeerMessage } from './types.ts'
import { driveVerdicts } from './verdicts.ts'
import type { World } from './world.ts'

/** Between two pulls for the same gap, in ms: a round trip takes less. */
const GAP_MS = 200

/**
 * Becomes a member when the roster names this node and the thread is open. Its JOIN promise is inside FORM (R9). Not where it has learnt the log
 * from others: a certificate has refuted its own (see `disagree`), and a restart does not mend that.
 */
export function startMember(world: World, thread: Thread): void {
  const { context } = world
  const { group } = thread
  if (
    group === null ||
    thread.isEnded() ||
    group.entries.length > 0 ||
    hasSealed(context, thread.scopedSlot(), group.form.envelope.payload.epoch) ||
    !group.form.envelope.payload.roster.includes(context.did)
  )
    return
  const restored = world.restored.get(group.id) ?? null
  thread.member = new Member({
    context,
    thread,
    group,
    restored,
    onCommitted: entries => onCommitted(world, thread, entries),
    onForeseen: decision => onForeseen(context, thread, decision)
  })
  thread.member.begin()
}

function onCommitted(world: World, thread: Thread, entries: readonly LogEntry[]): void {
  if (thread.member === null) return
  applyEntries(world, thread, entries)
  if (thread.member === null) return
  for (const did of participants(world.context, thread))
    sendLog(world.context, thread, did, entries)
  driveVerdicts(world.context, thread)
  world.observeThread(thread)
}

/** Folds entries that come next in the log; others are skipped. */
export function applyEntries(world: World, thread: Thread, entries: readonly LogEntry[]): void {
  const { context } = world
  const { group } = thread
  if (group === null) return
  for (const entry of entries) {
    if (entry.index !== group.entries.length + 1 || group.log.state.outcome !== null) continue
    group.entries.push(entry)
    group.bytes += entry.data.length
    thread.changed(context.nowMs)
    group.progressAt = context.nowMs
    const applied = group.log.apply(entry)
    const isMilestone =
      entry.index === thread.decide?.admitted.envelope.payload.decision.index ||
      entry.index === thread.end?.outcome.index
    const isTested = isMilestone || applied.decided !== null || applied.ended !== null
    const stage = isTested ? contradicted(thread) : null
    if (stage !== null) return disagree(world, thread, stage)
    if (applied.decided !== null) onDerived(context, thread, 'decide', applied.decided)
    if (applied.ended !== null) onDerived(context, thread, 'outcome', applied.ended)
    if (applied.ended !== null && thread.end !== null) world.observeEnd(thread)
  }
  for (const unlogged of [thread.unlogged, thread.plan.unlogged])
    for (const [id, admitted] of unlogged)
      if (group.log.state.logged.has(id) || isPointless(group.log.state, admitted))
        unlogged.delete(id)
  warnOfDivergence(context, thread, group.log.state)
}

/** Two nodes that evaluate one question differently cannot both run the agreed program (POL-19). */
function warnOfDivergence(context: Context, thread: Thread, state: NeedState): void {
  for (const subject of state.divergent) {
    const what = state.proposals.has(subject) ? 'PROPOSE' : 'COMMIT'
    thread.warn(
      context,
      `nodes evaluated the ${what} ${subject} differently: "can-swarm thread ${thread.id}" says who, "can-swarm policy explain ${thread.id}/${subject}" what this node finds`
    )
  }
}

/** The certificate says otherwise than the entries here. Learn them anew, and as a member take part no more: its log is of no use. */
export function disagree(world: World, thread: Thread, what: string): void {
  thread.warn(
    world.context,
    `what this node learnt of the log does not fit the certificate of the ${what}: learning it anew`
  )
  thread.member = null
  thread.derived.decide = null
  thread.derived.outcome = null
  thread.foreseen = null
  thread.resetLog(world.context)
}

/** Entries from a member, at a node outside the roster or one that lags. Each envelope in them passes the door first (R4). */
export function onLog(
  world: World,
  thread: Thread,
  from: string,
  message: Extract<PeerMessage, { type: 'log' }>
): void {
  const { context } = world
  const { group } = thread
  if (group === null) return world.early.holdMessage(message.thread, from, message)
  if (group.id !== message.group) return onOtherLog(world, thread, from, message)
  // Once there is a certificate to compare with, whoever was asked may answer.
  const asked = thread.end !== null && thread.pulledFrom === from
  const trusted = asked || group.form.envelope.payload.roster.includes(from)
  if (thread.member !== null || !trusted || thread.isComplete()) return
  const next = group.entries.length + 1
  const fresh = message.entries.filter(entry => entry.index >= next)
  if (fresh.length === 0) return
  if (fresh[0]?.index !== next) {
    // Each gap asks once: a member that sends nothing but gaps must not make this node ask all the time.
    if (context.nowMs - thread.pulledAt >= GAP_MS) pullNow(world, thread, from)
    return
  }
  if ((fresh.at(-1)?.index ?? 0) > LOG_INDEX_MAX || !isWithinRoom(group.bytes, fresh)) return
  const found = thread.admitMissing(context, fresh, from)
  if (found === 'foreign')
    return thread.warn(context, `${from} sends entries that do not belong into this log`)
  if (found === 'missing') return world.early.holdMessage(thread.id, from, message)
  context.persist(
    { type: 'learned', thread: thread.id, group: group.id, entries: fresh },
    { sync: false }
  )
  applyEntries(world, thread, fresh)
  driveVerdicts(context, thread)
  world.observeThread(thread)
}

/** Entries of another epoch: of an earlier one they are over; of a later one they wait while its FORM is asked for. */
function onOtherLog(
  world: World,
  thread: Thread,
  from: string,
  message: Extract<PeerMessage, { type: 'log' }>
): void {
  if (world.groups.has(message.group) || thread.isComplete()) return
  world.early.holdMessage(thread.id, from, message)
  if (world.context.nowMs - thread.pulledAt >= GAP_MS) pullNow(world, thread, from)
}

/** Asks the preferred peer, or another, for what is missing of a thread. */
export function pullNow(world: World, thread: Thread, preferred: string): void {
  const { context } = world
  const peer = context.connected.has(preferred) ? preferred : pickPeer(context, thread)
  if (peer !== null) pull(context, thread.id, thread, peer)
}
