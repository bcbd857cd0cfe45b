import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { type CoreNode, CoreSwarm } from './core-swarm.ts'
import { bytesInUse } from './memory.ts'

const NODES = 5
const GROUPS = 150
/** So few that nobody is late and publishes a certificate of its own. */
const IN_FLIGHT = 10

/** The memory of `decide` in half a minute, for those who work on it. */
export const memoryBench: Bench = {
  name: 'memory',
  about:
    'memory of a node for each group that is decided, has not ended and sleeps, from few groups',
  async run(report) {
    const dir = mkdtempSync(join(tmpdir(), 'can-swarm-bench-'))
    const swarm = await CoreSwarm.start(dir, NODES)
    try {
      // The first round fills what is there once: compiled code, caches, queues.
      await decideMany(swarm)
      await swarm.resting()
      const before = await bytesInUse()
      const cpu = process.cpuUsage()
      await decideMany(swarm)
      const { user, system } = process.cpuUsage(cpu)
      await swarm.resting()
      report({
        metric: 'live_group_kb',
        value: Number((((await bytesInUse()) - before) / 1000 / GROUPS / NODES).toFixed(1)),
        unit: 'KB',
        n: GROUPS,
        note: `after ${GROUPS} others, ${IN_FLIGHT} at a time; aim: under 30`
      })
      report({
        metric: 'cpu_ms_per_need',
        value: Number(((user + system) / 1000 / GROUPS).toFixed(1)),
        unit: 'ms',
        n: GROUPS,
        note: `CPU time of ${NODES} nodes in one process for each NEED that is decided`
      })
    } finally {
      await swarm.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

async function decideMany(swarm: CoreSwarm): Promise<void> {
  for (let done = 0; done < GROUPS; done += IN_FLIGHT)
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, (_, index) =>
        swarm.decide(swarm.nodes[index % NODES] as CoreNode)
      )
    )
  await swarm.idle()
}
