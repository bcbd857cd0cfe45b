import { ok, type Result, refuse } from '../base/index.ts'
import { bury, promisedIn, pruneTombstones } from './ending.ts'
import { isKeepable, TOMBSTONES_MAX, type Tombstone } from './tombstones.ts'
import type { World } from './world.ts'

/** What became of ends that were told. */
export type KnownEnds = {
  /** New here, and kept. */
  readonly known: number
  /** For which there was no room: their slots are open here. */
  readonly left: number
}

/**
 * Takes in how threads ended that this node never followed: their tombstones keep it from joining, voting or opening anything in those slots (R12). The
 * caller answers for their truth. Threads that are here, or whose time has passed, are passed over. Replies once they are on disk. Where nothing was promised
 * here, their tombstones are spare: whoever wrote those ends must not keep a node from following what comes. Refusal: `END_SHAPE`, before anything is kept, when one of them cannot be.
 */
export function knowEnds(world: World, ends: readonly Tombstone[]): Result<KnownEnds> {
  const { context } = world
  if (!ends.every(isKeepable))
    return refuse('END_SHAPE', 'an end says more than a tombstone can: none of these is kept')
  let known = 0
  let left = 0
  if (context.tombstones.size + ends.length > TOMBSTONES_MAX) pruneTombstones(world)
  for (const end of ends) {
    const isHere = world.thread(end.thread) !== undefined || context.tombstones.has(end.thread)
    if (isHere || end.until <= context.nowMs) continue
    if (context.tombstones.size >= TOMBSTONES_MAX) {
      left++
      continue
    }
    const { spare: _, ...bound } = end
    const tombstone: Tombstone = promisedIn(context, end) ? bound : { ...bound, spare: true }
    context.persist({ type: 'tombstone', ...tombstone }, { sync: true })
    bury(world, tombstone)
    known++
  }
  return ok({ known, left })
}
