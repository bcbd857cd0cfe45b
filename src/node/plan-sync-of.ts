import { systemClock } from '../adapters/system/index.ts'
import type { Swarm } from '../core/swarm/index.ts'
import { encodeMessage, PlanSync } from '../runtime/index.ts'
import type { NodeParts } from './node-parts.ts'

type PlanSyncParts = Pick<NodeParts, 'swarm' | 'driver' | 'network' | 'plan' | 'logger'>

/** Wires plan sync. */
export function planSyncOf({ swarm, driver, network, plan, logger }: PlanSyncParts): PlanSync {
  return new PlanSync({
    plan,
    streams: network.planStreams,
    door: driver.door,
    pace: driver.pace,
    settled: () => driver.settled(),
    isFollowed: thread => swarm.has(thread),
    showFork: (peer, thread, fork) => {
      const items = swarm.planFork(thread, fork)
      if (items.length === 0) return 0
      const packed = encodeMessage({ type: 'envelopes', items })
      for (const bytes of packed) network.send(peer, bytes)
      return packed.reduce((sum, { length }) => sum + length, 0)
    },
    shared: () => sharedPlans(swarm),
    clock: systemClock(),
    logger
  })
}

/** Threads whose plan has more than the NEED and the proposals say. */
function* sharedPlans(swarm: Swarm): Iterable<string> {
  for (const thread of swarm.threadIds()) if (swarm.hasPlanUpdates(thread)) yield thread
}
