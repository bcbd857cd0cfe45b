import { ENTRIES_PER_THREAD_MAX } from '../base/index.ts'
import { idOf } from '../codec/index.ts'
import type { Admitted } from '../envelope/index.ts'
import { decodeEntry, hasEffect, type NeedState } from '../need/index.ts'
import type { LogEntry } from '../raft/index.ts'
import type { Context } from './context.ts'
import { LOG_BYTES_MAX } from './room.ts'
import type { Group, Thread } from './thread.ts'

/** How long a leader may leave out what the log could use, in units of `retryMs`: gossip lost it, and so were two attempts to send it on. */
const WAITS = 5
/** The wait doubles up to this, in ms, as long as nothing comes of it: what no leader logs, it may have a reason not to. */
const WAIT_MS_MAX = 60_000

/** What members keep free at the end of the window for all that may be waiting then, in ms: each challenge takes a stamp of its own. */
const ROOM_MS = 64

const NEVER = Number.POSITIVE_INFINITY

/**
 * What a follower's log lacks and could use, and since when under one leader (docs/decisions/0036). A COMMIT is good for one lease only, so what became
 * void for want of a place in the log counts with the time that it had waited.
 */
export class Omissions {
  readonly #since = new Map<string, number>()
  #under: string | null = null
  #missedMs = 0
  /** How many times a leader was found to leave something out, since one logged what was waited for. */
  #doubled = 0

  /** When `look` has something to do. */
  dueAt(context: Context, thread: Thread): number {
    if (thread.unlogged.size === 0 && this.#since.size === 0) return NEVER
    const under = leadershipOf(thread)
    if (under === null) return NEVER
    const wanted = wantedOf(context, thread)
    const isAsSeen =
      under === this.#under &&
      wanted.length === this.#since.size &&
      wanted.every(({ id }) => this.#since.has(id))
    if (!isAsSeen) return 0
    if (wanted.length === 0) return NEVER
    const lasts = wanted.map(({ envelope }) => envelope.notAfter - precisionOf(thread))
    return Math.min(this.#oldest(context) + this.#patience(context) - this.#missedMs, ...lasts)
  }

  /** What the leader leaves out, once it has had time enough; null before. */
  look(context: Context, thread: Thread): Admitted | null {
    const under = leadershipOf(thread)
    if (under === null) return null
    if (under !== this.#under) this.#restart()
    this.#under = under
    const wanted = wantedOf(context, thread)
    this.#drop(context, thread, new Set(wanted.map(({ id }) => id)))
    for (const { id } of wanted) if (!this.#since.has(id)) this.#since.set(id, context.nowMs)
    const waitedMs = this.#since.size === 0 ? 0 : context.nowMs - this.#oldest(context)
    const [first] = wanted
    if (first === undefined || this.#missedMs + waitedMs < this.#patience(context)) return null
    this.#restart()
    this.#doubled += 1
    return first
  }

  #drop(context: Context, thread: Thread, wanted: ReadonlySet<string>): void {
    let missedMs = 0
    for (const [id, since] of this.#since) {
      if (wanted.has(id)) continue
      this.#since.delete(id)
      const isLogged = thread.isLogged(id) || pendingOf(thread).has(id)
      if (isLogged) this.#doubled = 0
      else {
        const waitedMs = context.nowMs - Math.max(since, context.steadySince)
        missedMs = Math.max(missedMs, waitedMs, leastMs(context, thread, id))
      }
    }
    this.#missedMs += missedMs
  }

  #restart(): void {
    this.#since.clear()
    this.#missedMs = 0
  }

  #patience({ settings }: Context): number {
    return Math.min(WAITS * settings.retryMs * 2 ** Math.min(this.#doubled, 8), WAIT_MS_MAX)
  }

  #oldest({ steadySince }: Context): number {
    return Math.max(Math.min(...this.#since.values()), steadySince)
  }
}

/** Work that is lost for want of a place in the log counts as much as one repetition, however short the lease was. */
function leastMs({ settings }: Context, { envelopes }: Thread, id: string): number {
  return envelopes.get(id)?.admitted.envelope.verb === 'COMMIT' ? settings.retryMs : 0
}

/** A member whose leader leaves something out for long hears it no more for a while. */
export function driveOmissions(context: Context, thread: Thread): void {
  const { member } = thread
  const omitted = member?.omissions.look(context, thread) ?? null
  const leader = member?.raft.status().leader ?? null
  if (omitted !== null && leader !== null) member?.shun(leader, omitted)
}

/** When `driveOmissions` has something to do. */
export function omissionsDueAt(context: Context, thread: Thread): number {
  return thread.member?.omissions.dueAt(context, thread) ?? NEVER
}

/** Who leads this follower, and in which term; null where nobody does, or this member itself. */
function leadershipOf({ member }: Thread): string | null {
  const status = member?.raft.status()
  if (status === undefined || status.leader === null || status.role === 'leader') return null
  return `${status.term} ${status.leader}`
}

/** What would have an effect as the log stands, is not on this disk as a part of it, and lasts. */
function wantedOf(context: Context, thread: Thread): readonly Admitted[] {
  const { group } = thread
  if (group === null || leadershipOf(thread) === null || isFull(group)) return []
  const { state } = group.log
  const latest = context.nowMs + precisionOf(thread)
  const found = [...thread.unlogged.values()].filter(
    admitted => admitted.envelope.notAfter > latest && hasEffect(state, admitted)
  )
  if (found.length === 0) return found
  const pending = pendingOf(thread)
  return found.filter(({ id }) => !pending.has(id))
}

function precisionOf({ group }: Thread): number {
  return group?.form.envelope.payload.precisionMs ?? 0
}

/** A full log takes ticks only. */
function isFull({ entries, bytes }: Group): boolean {
  return entries.length >= ENTRIES_PER_THREAD_MAX || bytes >= LOG_BYTES_MAX
}

/** Ids in entries that are on disk and not known to be committed. */
function pendingOf({ member, group }: Thread): ReadonlySet<string> {
  if (member === null || group === null) return new Set()
  const entries = member.raft.entries(group.entries.length + 1, member.raft.status().lastIndex)
  return new Set(entries.flatMap(({ data }) => idIn(data) ?? []))
}

function idIn(data: Uint8Array): string | null {
  const envelope = decodeEntry(data)?.envelope ?? null
  return envelope === null ? null : idOf(envelope)
}

/** Log time before which a CHALLENGE, or a finding about one, must be in the log; null for anything else, and outside the challenge window. */
export function judgedBefore(state: NeedState, { envelope }: Admitted): number | null {
  if (state.phase !== 'VERIFIED') return null
  if (envelope.verb === 'CHALLENGE') return state.challengeUntil
  return envelope.verb === 'ATTEST' || envelope.verb === 'REJECT' ? state.deadline : null
}

/** Until when members see to it that what came in time gets into the log: after the last window ends, no longer than a challenge may take anyway. */
export function heldUntil({ settings }: Context, { need }: Thread, state: NeedState): number {
  const holdMs = Math.min(need.envelope.payload.windows.verifyMs, settings.graceMs)
  return Math.max(state.challengeUntil ?? 0, state.deadline ?? 0) + holdMs
}

/**
 * A CHALLENGE, or a finding about one, that came to this member in time and that these entries, which come next after what is applied, would
 * leave out for good; null where there is none.
 */
export function cutOffBy(
  context: Context,
  thread: Thread,
  entries: readonly LogEntry[]
): Admitted | null {
  const { group } = thread
  if (group === null || group.log.state.outcome !== null || isFull(group)) return null
  const held = disputesIn(thread)
  const last = stampOf(entries.at(-1))
  if (held.length === 0 || !mayClose(group.log.state, last)) return null
  const ahead = thread.freshLog(context)
  for (const entry of group.entries) ahead.apply(entry)
  for (const entry of entries) {
    const stamp = stampOf(entry) + (carriesOneOf(held, entry) ? 0 : ROOM_MS)
    const missed = held.find(admitted => isCutOff(context, thread, ahead.state, admitted, stamp))
    if (missed !== undefined) return missed
    // Raft refuses what has a gap.
    if (entry.index !== ahead.state.at.index + 1) return null
    ahead.apply(entry)
  }
  return null
}

/** CHALLENGEs and findings about them that are not in the log as it is applied. */
export function disputesIn({ unlogged }: Thread): readonly Admitted[] {
  if (unlogged.size === 0) return []
  return [...unlogged.values()].filter(isOfDispute)
}

function isOfDispute(admitted: Admitted): boolean {
  const { verb } = admitted
  if (verb === 'CHALLENGE') return true
  if (verb !== 'ATTEST' && verb !== 'REJECT') return false
  return (admitted as Admitted<'ATTEST' | 'REJECT'>).envelope.payload.challenge !== null
}

/** Whether log time, at this stamp, may end the challenge window or the disputes; before the window it may be farther than is known here. */
function mayClose(state: NeedState, stamp: number): boolean {
  if (state.phase !== 'VERIFIED') return state.commit !== null || state.lease !== null
  return stamp + ROOM_MS >= Math.min(state.challengeUntil ?? 0, state.deadline ?? 0)
}

function isCutOff(
  context: Context,
  thread: Thread,
  state: NeedState,
  admitted: Admitted,
  stamp: number
): boolean {
  const before = judgedBefore(state, admitted)
  if (before === null || stamp < before || !hasEffect(state, admitted)) return false
  const seenAt = thread.envelopes.get(admitted.id)?.seenAt ?? NEVER
  return seenAt + 2 * ROOM_MS < before && context.nowMs < heldUntil(context, thread, state)
}

function carriesOneOf(held: readonly Admitted[], { data }: LogEntry): boolean {
  const id = idIn(data)
  return held.some(admitted => admitted.id === id)
}

function stampOf(entry: LogEntry | undefined): number {
  return entry === undefined ? 0 : (decodeEntry(entry.data)?.stamp ?? 0)
}
