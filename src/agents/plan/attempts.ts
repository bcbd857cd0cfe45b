import type { ThreadView } from '../../core/swarm/index.ts'
import type { SwarmClient } from '../../rpc/index.ts'
import { SLOT_PART_LENGTH, THREADS_MAX } from '../limits.ts'

/** NEEDs that were stated for the tasks of a plan: the thread of each attempt, by slot. */
export type Attempts = ReadonlyMap<string, string>

/**
 * The slot of one attempt at a task: `<slot>/<task>`, then what makes it this plan's alone, since a coordinator may serve requesters that
 * call their slots alike. A slot that has ended stays ended, so each attempt has its own.
 */
export function slotOf(parent: ThreadView, task: string, attempt: number): string {
  const slot = parent.slot.slice(0, SLOT_PART_LENGTH).toWellFormed()
  return `${slot}/${task}@${parent.thread.slice(-16)}.${attempt}`
}

/**
 * What this node has stated for the plan before. They came after the plan's own NEED, and the list has the newest first, so older
 * threads are not looked at.
 */
export async function findAttempts(
  client: SwarmClient,
  parent: ThreadView,
  { did, signal }: { readonly did: string; readonly signal: AbortSignal }
): Promise<Attempts> {
  const found = new Map<string, string>()
  const mark = `@${parent.thread.slice(-16)}.`
  let before: { before?: string } = {}
  for (;;) {
    const list = await client.call('threads.list', { limit: THREADS_MAX, ...before }, { signal })
    for (const { slot, thread, requester } of list)
      if (requester === did && slot.includes(mark)) found.set(slot, thread)
    const last = list.at(-1)
    if (last === undefined || list.length < THREADS_MAX || last.openedAt < parent.openedAt)
      return found
    before = { before: last.thread }
  }
}
