import { strict as assert } from 'node:assert'
import { script } from './swarm-agents.ts'
import { type ClusterNode, SwarmCluster } from './swarm-cluster.ts'

/** A world in which one NEED has gone to FINAL at every node. */
export function finishedThread(
  seed = 3,
  slot = 'slot-1',
  overrides: Parameters<SwarmCluster['need']>[0] = {}
): {
  cluster: SwarmCluster
  node: ClusterNode
  thread: string
} {
  const cluster = new SwarmCluster({ nodes: 5, seed })
  for (const [index, node] of cluster.nodes.entries()) {
    script(cluster, node, { works: index === 1, verifies: index >= 2 })
  }
  const node = cluster.nodes[0] as ClusterNode
  const id = cluster.command(node, {
    type: 'state-need',
    draft: cluster.need({ slot, ...overrides })
  })
  cluster.run(1)
  const { value } = node.replies.get(id) as { value: { envelope: string } }
  const complete = (): boolean =>
    cluster.nodes.every(each => each.swarm.record(value.envelope)?.complete === true)
  assert(cluster.runUntil(complete, 20_000), 'the thread is complete everywhere')
  return { cluster, node, thread: value.envelope }
}
