import { isPointless } from '../need/index.ts'
import { quorumOf } from '../roster/index.ts'
import { reachable } from './candidates.ts'
import type { Context } from './context.ts'
import { sizeOf } from './formation.ts'
import { absentNow, beginSealing, checkReform } from './sealing.ts'
import type { Group, Thread } from './thread.ts'

/** When the requester opens a new epoch by itself, ms, why, and which members it would rather do without then. */
export type Reform = {
  readonly at: number
  readonly why: string
  readonly absent: (context: Context, thread: Thread) => readonly string[]
  /** Whether enough voters for the next group are here. */
  readonly hasVoters: boolean
}

/**
 * A new epoch costs the members a round of promises and the worker its lease, and a NEED has few of them. So the requester opens
 * one by itself only when the group that it has cannot go on, or would not survive one more loss; when enough of its members are there
 * to seal it; and when enough voters are there for the next. Null while there is no need or no such members: that depends on peers and on the
 * log, not on time.
 */
function reformPlan(context: Context, thread: Thread): Reform | null {
  if (thread.need.envelope.payload.solo || !checkReform(context, thread).ok) return null
  const { formation, group } = thread
  const plan =
    formation !== null
      ? stuckJoin(context, thread)
      : group === null
        ? null
        : earlier(memberAway(context, thread, group), stalled(context, thread, group))
  return plan === null ? null : { ...plan, at: Math.max(plan.at, context.steadySince) }
}

/** Opens a new epoch when the time has come. */
export function driveReform(context: Context, thread: Thread): void {
  const plan = reformPlan(context, thread)
  if (plan === null || context.nowMs < plan.at) return
  if (!plan.hasVoters) return context.seekVoters()
  thread.warn(context, `a new epoch is opened: ${plan.why}`)
  beginSealing(context, thread, plan.absent(context, thread))
}

/** When `driveReform` has something to do. */
export function reformDueAt(context: Context, thread: Thread): number {
  const plan = reformPlan(context, thread)
  if (plan === null) return Number.POSITIVE_INFINITY
  return plan.hasVoters ? plan.at : Math.max(plan.at, context.seekDueAt())
}

/** A chosen member does not join: FORM would wait for it for ever. */
function stuckJoin(context: Context, thread: Thread): Reform | null {
  const { formation } = thread
  if (formation?.roster == null) return null
  const missing = formation.roster.filter(did => !formation.joins.has(did))
  const joined = formation.roster.length - missing.length
  if (missing.length === 0 || joined < quorumOf(formation.roster.length)) return null
  const since = Math.max(formation.chosenAt, context.steadySince)
  return {
    at: since + context.settings.joinMs,
    why: `${missing.length} chosen member(s) did not join`,
    absent: absentNow,
    hasVoters: hasVoters(context, thread, new Set(missing))
  }
}

/** A member has been away for long. Not while a worker holds the lease: it would lose its work, and the group goes on without the one. */
function memberAway(context: Context, thread: Thread, group: Group): Reform | null {
  if (group.log.state.lease !== null || !canSeal(context, group)) return null
  const away = group.form.envelope.payload.roster.filter(did => !isHere(context, did))
  if (away.length === 0) return null
  const left = away.map(did => context.leftAt.get(did) ?? group.since)
  const since = Math.max(Math.min(...left), group.since, context.steadySince)
  return {
    at: since + context.settings.awayMs,
    why: `${away.length} member(s) are away`,
    absent: absentNow,
    hasVoters: hasVoters(context, thread, new Set())
  }
}

/** Something is due in the log, and nothing moves. */
function stalled(context: Context, thread: Thread, group: Group): Reform | null {
  const pending = pendingSince(context, thread, group)
  if (pending === null || !canSeal(context, group)) return null
  const since = Math.max(pending, group.since, group.progressAt, context.steadySince)
  return {
    at: since + context.settings.stallMs,
    why: 'the group makes no progress',
    // Nobody can tell who holds it up: a leader that leaves things out looks like any other.
    absent: () => group.form.envelope.payload.roster.filter(did => did !== context.did),
    hasVoters: hasVoters(context, thread, new Set())
  }
}

function pendingSince(context: Context, thread: Thread, group: Group): number | null {
  const times: number[] = []
  const deadline = group.log.nextDeadline()
  if (deadline !== null) times.push(deadline)
  const { state } = group.log
  for (const admitted of thread.unlogged.values()) {
    if (admitted.verb !== 'PROPOSE' && admitted.verb !== 'CLAIM') continue
    if (admitted.envelope.notAfter <= context.nowMs || isPointless(state, admitted)) continue
    times.push(thread.envelopes.get(admitted.id)?.seenAt ?? group.since)
    break
  }
  return times.length === 0 ? null : Math.min(...times)
}

function canSeal(context: Context, group: Group): boolean {
  const { roster } = group.form.envelope.payload
  const present = roster.filter(did => isHere(context, did)).length
  return present >= quorumOf(roster.length)
}

function hasVoters(context: Context, thread: Thread, avoid: ReadonlySet<string>): boolean {
  const voters = reachable(context, 'voter').filter(({ did }) => !avoid.has(did))
  return voters.length >= sizeOf(context, thread)
}

function isHere(context: Context, did: string): boolean {
  return did === context.did || context.connected.has(did)
}

function earlier(a: Reform | null, b: Reform | null): Reform | null {
  if (a === null || b === null) return a ?? b
  return a.at <= b.at ? a : b
}
