import type { Admitted } from '../envelope/index.ts'
import type { Context } from './context.ts'
import { watchFork } from './evidence.ts'
import {
  PLAN_BYTES_MAX,
  PLAN_FORKS_BYTES_MAX,
  PLAN_STRANGERS_SESSIONS_MAX,
  THREAD_BYTES_MAX
} from './room.ts'
import type { Thread } from './thread.ts'
import type { World } from './world.ts'

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
export function isUpdateWanted(world: World, thread: Thread, update: Admitted): boolean {
  const { id, bytes, envelope } = update
  const requester = thread.need.envelope.sender
  if (thread.isAsked(id))
    return (
      thread.bytes + bytes.length <= THREAD_BYTES_MAX &&
      world.bytes.hasRoomFor(requester, bytes.length, true)
    )
  if (thread.isEnded()) return false
  const isInsider = isInsiderOf(thread, envelope.sender)
  const max = isInsider ? PLAN_BYTES_MAX : PLAN_BYTES_MAX / 2
  const room = { max, by: isInsider ? 'worker' : 'stranger' } as const
  const { session, seq } = (update as Admitted<'UPDATE_PLAN'>).envelope.payload
  if (
    !isInsider &&
    thread.plan.sessionsWith(envelope.sender, session) > PLAN_STRANGERS_SESSIONS_MAX
  ) {
    thread.warn(world.context, PLAN_FULL_FOR_STRANGERS)
    return false
  }
  if (hasRoom(world, thread, update, room)) return true
  if (thread.plan.open().wouldFork(envelope.sender, { session, seq }))
    return hasRoom(world, thread, update, { max: max + PLAN_FORKS_BYTES_MAX, by: 'worker' })
  thread.warn(world.context, isInsider ? PLAN_FULL : PLAN_FULL_FOR_STRANGERS)
  return false
}

/** The requester, or the worker of the decision as it is known here. */
function isInsiderOf(thread: Thread, sender: string): boolean {
  return (
    sender === thread.need.envelope.sender || sender === thread.group?.log.state.decision?.worker
  )
}

/** Whether the thread's plan is within `max` with one more update, and the room for plans of many threads has room for it. */
function hasRoom(
  { bytes }: World,
  thread: Thread,
  update: Admitted,
  room: { readonly max: number; readonly by: 'stranger' | 'worker' }
): boolean {
  const { length } = update.bytes
  const requester = thread.need.envelope.sender
  if (thread.plan.bytes + length > room.max) return false
  return update.envelope.sender === requester
    ? bytes.hasRoomFor(requester, length, thread.member !== null)
    : bytes.hasRoomForPlan(requester, length, room.by)
}

const PLAN_FULL = 'the plan is full: what is added to it is not kept here'
const PLAN_FULL_FOR_STRANGERS =
  'the plan has no more room for what others than requester and worker say: until the thread ends, nodes may show different parts of that'
