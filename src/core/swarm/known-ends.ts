import { ok, type Result } from '../base/index.ts'
import { bury } from './ending.ts'
import { TOMBSTONES_MAX, type Tombstone } from './tombstones.ts'
import type { World } from './world.ts'

/**
 * Takes in how threads ended that this node never followed: their tombstones keep it from joining, voting or opening anything in those slots (R12). The
 * caller answers for their truth. Threads that are here, or whose time has passed, are left out. Replies with how many were new, once they are on disk.
 */
export function knowEnds(
  world: World,
  ends: readonly Tombstone[]
): Result<{ readonly known: number }> {
  const { context } = world
  let known = 0
  for (const end of ends) {
    const isHere = world.thread(end.thread) !== undefined || context.tombstones.has(end.thread)
    if (isHere || end.until <= context.nowMs || context.tombstones.size >= TOMBSTONES_MAX) continue
    context.persist({ type: 'tombstone', ...end }, { sync: true })
    bury(world, end)
    known++
  }
  return ok({ known })
}
