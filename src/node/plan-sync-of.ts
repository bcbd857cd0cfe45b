import { systemClock } from '../adapters/system/index.ts'
import type { Swarm } from '../core/swarm/index.ts'
import { PlanSync } from '../runtime/index.ts'
import type { NodeParts } from './node-parts.ts'

type PlanSyncParts = Pick<NodeParts, 'swarm' | 'driver' | 'network' | 'plan' | 'logger'>

/** Wires plan sync. */
export function planSyncOf({ swarm, driver, network, plan, logger }: PlanSyncParts): PlanSync {
  return new PlanSync({
    plan,
    streams: network.planStreams,
    door: driver.door,
    settled: () => driver.settled(),
    isFollowed: thread => swarm.has(thread),
    shared: () => sharedPlans(swarm),
    clock: systemClock(),
    logger
  })
}

/** Threads whose plan has more than the NEED and the proposals say. */
function* sharedPlans(swarm: Swarm): Iterable<string> {
  for (const thread of swarm.threadIds())
    if (swarm.planEntries(thread).some(({ chain }) => chain !== null)) yield thread
}
