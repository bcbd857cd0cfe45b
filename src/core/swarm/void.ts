import { type Result, refuse } from '../base/index.ts'
import { isVoidedBy } from '../roster/index.ts'
import type { Context } from './context.ts'
import type { Thread } from './thread.ts'
import type { VoidView } from './types.ts'

/**
 * What the evidence that is held here says of a thread, beside its log: that its decisions are void, since its requester signed two FORMs for
 * an epoch (EVIDENCE-15). Null while no evidence says so. Neither the fold nor the record knows of it.
 */
export function voidOf(context: Context, thread: Thread): VoidView | null {
  const held = context.evidence.of(thread.id)
  // Asked of every thread often: nothing is read of one at rest unless there is reason to.
  if (held.length === 0) return null
  const requester = thread.need.envelope.sender
  const subject = { thread: thread.id, requester, epoch: thread.epoch() }
  const [first] = held
    .filter(({ conviction }) => isVoidedBy(subject, conviction))
    .sort((one, other) => one.conviction.epoch - other.conviction.epoch)
  if (first === undefined) return null
  const { epoch } = first.conviction
  const reason = `the requester signed two FORMs for epoch ${epoch}: what is decided in the thread counts for nothing`
  return { evidence: first.id, epoch, reason }
}

/** Whether nothing is to be said or done in a thread any more that is not an end of what was begun. */
export function isVoid(context: Context, thread: Thread): boolean {
  return voidOf(context, thread) !== null
}

/** The refusal of what would go on with a void thread, or null. */
export function refuseVoid(context: Context, thread: Thread): Result<never> | null {
  const found = voidOf(context, thread)
  return found === null ? null : refuse('THREAD_VOID', `the thread is void: ${found.reason}`)
}
