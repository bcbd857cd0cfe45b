import type { Admitted } from '../envelope/index.ts'
import { followsOn, isPointless } from '../need/index.ts'
import type { Context } from './context.ts'
import { pickPeer } from './sync.ts'
import type { Thread } from './thread.ts'

/** Envelopes sent on at once; the leader logs them, and the next ones follow. */
const FORWARDED_MAX = 16
/** Longest time between two attempts, in ms. The wait doubles: what the leader does not log, it may have a reason not to. */
const WAIT_MS_MAX = 60_000

/** When envelopes that are not in the log are sent on, and how long this node waits after that. */
export type Forwarding = { at: number; waitMs: number }

/**
 * Envelopes of a thread that the log could use now. What has to follow on another that is not logged could not yet: a leader holds it back.
 */
function worthLogging(context: Context, thread: Thread): Admitted[] {
  const state = thread.group?.log.state
  if (state === undefined) return []
  return [...thread.loggable()].filter(
    admitted =>
      admitted.envelope.notAfter > context.nowMs &&
      !isPointless(state, admitted) &&
      isInOrder(state.logged, admitted)
  )
}

function isInOrder(logged: ReadonlySet<string>, admitted: Admitted): boolean {
  const first = followsOn(admitted)
  return first === null || logged.has(first)
}

/** When `driveForwarding` has something to do. */
export function forwardingDueAt(context: Context, thread: Thread): number {
  if (toForward(context, thread).length === 0) return thread.forwarding === null ? NEVER : 0
  return thread.forwarding?.at ?? 0
}

/**
 * Gossip loses messages, and a group that sleeps asks nobody: what this node knows of and the log does not have is sent to the
 * leader by a member, and its own envelopes to a member by any other node.
 */
export function driveForwarding(context: Context, thread: Thread): void {
  const waiting = toForward(context, thread)
  if (waiting.length === 0) {
    thread.forwarding = null
    return
  }
  const { retryMs } = context.settings
  thread.forwarding ??= { at: context.nowMs + retryMs, waitMs: retryMs }
  const { forwarding, member } = thread
  if (context.nowMs < forwarding.at) return
  forwarding.waitMs = Math.min(2 * forwarding.waitMs, WAIT_MS_MAX)
  forwarding.at = context.nowMs + forwarding.waitMs
  const items = waiting.slice(0, FORWARDED_MAX).map(({ bytes }) => bytes)
  if (member !== null) return member.forward(items)
  const peer = pickPeer(context, thread)
  if (peer !== null)
    for (const bytes of items) context.send(peer, { type: 'envelopes', items: [bytes] })
}

function toForward(context: Context, thread: Thread): Admitted[] {
  const isNothingLeft = thread.unlogged.size === 0 && thread.plan.unlogged.size === 0
  if (isNothingLeft || thread.member?.leads() === true) return []
  const worth = worthLogging(context, thread)
  return thread.member === null
    ? worth.filter(({ envelope }) => envelope.sender === context.did)
    : worth
}

const NEVER = Number.POSITIVE_INFINITY
