import { ENVELOPE_BYTES_MAX, THREADS_MAX } from '../base/index.ts'
import type { Admitted } from '../envelope/index.ts'
import { archiveNow, isBystander, letGo } from './ending.ts'
import { HELD_BYTES_MAX, STRANGERS_PART } from './room.ts'
import { scopedSlotOf } from './thread.ts'
import { TOMBSTONES_MAX } from './tombstones.ts'
import type { World } from './world.ts'

/**
 * Who gets room for a NEED when there is little. Identities cost nothing, so no share for each keeps a crowd of them out; connections are few. So
 * requesters that are not connected may fill only a part, and where the rest is full as well, their threads make way, the oldest first, if this node only
 * watches them. The node's own NEEDs always have room.
 */

/** Threads in memory above which ended ones are archived before their time. */
const CROWDED: number = THREADS_MAX - 1_000
/** Spare tombstones that are forgotten at once: looking for them reads all. */
const SPARE_FORGOTTEN = 2_000

/** Whether a new NEED may be followed: its slot is not over, and there is room. */
export function isWelcome(world: World, need: Admitted<'NEED'>): boolean {
  const { context } = world
  const { sender, payload } = need.envelope
  if (context.tombstones.covers(scopedSlotOf(need), payload.epoch)) {
    context.warn(null, `a NEED of ${sender} is not followed: its slot has ended here`)
    return false
  }
  if (hasRoomFor(world, sender)) return true
  if (context.openThreads.maySayNo(context.nowMs))
    context.warn(null, `a NEED of ${sender} is not followed: too many open threads`)
  return false
}

function hasRoomFor(world: World, requester: string): boolean {
  const { context } = world
  if (world.threads.size >= CROWDED || world.bytes.total >= STRANGERS_PART * HELD_BYTES_MAX)
    archiveOldestEnded(world)
  if (!context.openThreads.hasRoomFor(requester)) return false
  if (requester === context.did) return true
  if (context.tombstones.size >= STRANGERS_PART * TOMBSTONES_MAX)
    context.tombstones.prune(context.nowMs, SPARE_FORGOTTEN)
  if (!context.connected.has(requester)) return isWithin(world, STRANGERS_PART)
  if (isWithin(world, 1)) return true
  letGoOfStranger(world)
  return isWithin(world, 1)
}

/** Whether no more than this part of each room is taken. */
function isWithin({ threads, context, bytes }: World, part: number): boolean {
  return (
    threads.size < part * THREADS_MAX &&
    context.tombstones.size < part * TOMBSTONES_MAX &&
    bytes.total + ENVELOPE_BYTES_MAX <= part * HELD_BYTES_MAX
  )
}

/** Makes room before its time: two for each that comes, so that room there is. */
function archiveOldestEnded(world: World): void {
  let asked = 0
  for (const thread of world.threads.values()) {
    if (asked === 2) return
    if (!thread.isEnded() || thread.archiving !== null) continue
    archiveNow(world, thread)
    asked += 1
  }
}

function letGoOfStranger(world: World): void {
  const { context } = world
  for (const thread of world.threads.values()) {
    const { sender } = thread.need.envelope
    if (sender === context.did || context.connected.has(sender)) continue
    if (isBystander(context, thread)) return letGo(world, thread)
  }
}
