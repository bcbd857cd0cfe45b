import type { Admitted } from '../envelope/index.ts'
import type { Thread } from './thread.ts'

/** Bytes of what is kept of one thread that came after its epoch was left, and how many such envelopes of one sender: four epochs, each with a seal and what opens it. */
export const LATE_BYTES_MAX: number = 1024 * 1024
const LATE_PER_SENDER_MAX = 8

/**
 * Whether an envelope is a result of an epoch that was left, or a verdict on one. No log takes it any more; but when a partition has healed, what was
 * made on the other side of it is told, and may be salvaged (RUN-13). Only whose PROPOSE is here may have made something of it.
 */
export function isLateResult(thread: Thread, admitted: Admitted): boolean {
  if (!thread.isOfLeftEpoch(admitted)) return false
  const { verb } = admitted.envelope
  if (verb === 'COMMIT') return isOnOwnBid(thread, admitted as Admitted<'COMMIT'>)
  return verb === 'ATTEST' && isOnLateResult(thread, admitted as Admitted<'ATTEST'>)
}

/** Whether the thread has room for one more of these. */
export function hasLateRoom({ late }: Thread, { envelope, bytes }: Admitted): boolean {
  const own = late.bySender.get(envelope.sender) ?? 0
  return late.bytes + bytes.length <= LATE_BYTES_MAX && own < LATE_PER_SENDER_MAX
}

function isOnOwnBid(thread: Thread, { envelope }: Admitted<'COMMIT'>): boolean {
  const bid = thread.envelopes.get(envelope.payload.task.toString())?.admitted.envelope
  return bid?.verb === 'PROPOSE' && bid.sender === envelope.sender
}

function isOnLateResult(thread: Thread, { envelope }: Admitted<'ATTEST'>): boolean {
  const commit = thread.envelopes.get(envelope.payload.commit.toString())?.admitted.envelope
  return commit?.verb === 'COMMIT' && commit.epoch === envelope.epoch
}
