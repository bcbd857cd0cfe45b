import type { Admitted } from '../envelope/index.ts'
import type { Context } from './context.ts'
import { watchFork } from './evidence.ts'
import { PLAN_BYTES_MAX, PLAN_FORKS_BYTES_MAX, THREAD_BYTES_MAX } from './room.ts'
import type { Thread } from './thread.ts'

/** Forks of one thread that a node tells its peers of at once; beyond it they come by plan sync. Keeps one liar from being made louder without end. */
const FORKS_TOLD_MAX = 64

/** What a filed envelope means for the plan: its facts, and maybe that its sender has two updates at one place. */
export function planFiled(context: Context, thread: Thread, admitted: Admitted): void {
  const change = thread.plan.changeOf(admitted)
  if (change === null) return
  const rival = thread.plan.add(admitted)?.rival ?? null
  if (rival !== null) {
    watchFork(context, thread, admitted, rival)
    tellFork(context, thread, [rival, admitted.id])
  }
  context.observe({ type: 'facts', thread: thread.id, ...change })
}

/**
 * Shows both updates of a fork to every peer. Each has one of them, and would have no reason to ask for the other: its view is whole, and not
 * what others see.
 */
function tellFork(context: Context, thread: Thread, ids: readonly string[]): void {
  if (thread.plan.forksTold >= FORKS_TOLD_MAX) return
  thread.plan.forksTold += 1
  const items = ids.flatMap(id => thread.envelopes.get(id)?.admitted.bytes ?? [])
  for (const did of context.connected) context.send(did, { type: 'envelopes', items })
}

/**
 * Whether the thread holds one more update. That is a matter of room alone: which of those that it holds count is not (core/plan). What is
 * in the log is held as long as a leader may log it.
 */
export function isUpdateWanted(context: Context, thread: Thread, update: Admitted): boolean {
  const { id, bytes, envelope } = update
  if (thread.isAsked(id)) return thread.bytes + bytes.length <= THREAD_BYTES_MAX
  const held = thread.plan.bytes + bytes.length
  if (thread.isEnded()) return false
  const worker = thread.group?.log.state.decision?.worker
  const isInsider = envelope.sender === worker || envelope.sender === thread.need.envelope.sender
  const max = isInsider ? PLAN_BYTES_MAX : PLAN_BYTES_MAX / 2
  if (held <= max) return true
  const { session, seq } = (update as Admitted<'UPDATE_PLAN'>).envelope.payload
  if (thread.plan.open().wouldFork(envelope.sender, { session, seq }))
    return held <= max + PLAN_FORKS_BYTES_MAX
  thread.warn(context, isInsider ? PLAN_FULL : PLAN_FULL_FOR_STRANGERS)
  return false
}

const PLAN_FULL = 'the plan is full: what is added to it is not kept here'
const PLAN_FULL_FOR_STRANGERS =
  'the plan has no more room for what others than requester and worker say: until the thread ends, nodes may show different parts of that'
