/**
 * Goal: what others say of ended threads closes their slots here and harms nothing that lives. Method: a virtual node that is told of ends it
 * has never seen, of one that it follows, and of one whose time has passed.
 */
import { strict as assert } from 'node:assert'
import type { Tombstone } from '../../../../src/core/swarm/index.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

describe('core/swarm: known ends', () => {
  function told(cluster: SwarmCluster, node: ClusterNode, ends: readonly Tombstone[]): unknown {
    const id = cluster.command(node, { type: 'know-ends', ends })
    cluster.run(1)
    return node.replies.get(id)
  }

  const endOf = (cluster: SwarmCluster, change: Partial<Tombstone>): Tombstone => ({
    thread: 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
    slot: `${cluster.nodes[0]?.did}/slot-1`,
    epoch: 0,
    decision: null,
    phase: 'FINAL',
    until: cluster.nowMs + 1_000_000,
    ...change
  })

  it('close their slots, once, and survive a restart', () => {
    const cluster = new SwarmCluster({ nodes: 1, seed: 2 })
    const node = cluster.nodes[0] as ClusterNode
    const end = endOf(cluster, {})
    assert.deepEqual(told(cluster, node, [end, end]), { ok: true, value: { known: 1 } })
    assert.deepEqual(told(cluster, node, [end]), { ok: true, value: { known: 0 } })
    cluster.crash(node)
    cluster.restart(node)
    assert.deepEqual(node.swarm.tombstone(end.thread), end)
    const draft = cluster.need({ slot: 'slot-1', solo: true })
    const id = cluster.command(node, { type: 'state-need', draft })
    cluster.run(1)
    const refused = node.replies.get(id) as { ok: boolean; refusal: { code: string } }
    assert.equal(refused.refusal.code, 'SLOT_ENDED')
  })

  it('do not bury a thread that goes on here, nor come back after their time', () => {
    const cluster = new SwarmCluster({ nodes: 1, seed: 2 })
    const node = cluster.nodes[0] as ClusterNode
    cluster.command(node, { type: 'state-need', draft: cluster.need({ solo: true }) })
    cluster.run(100)
    const [thread = ''] = node.swarm.threadIds()
    const ends = [endOf(cluster, { thread }), endOf(cluster, { until: cluster.nowMs })]
    assert.deepEqual(told(cluster, node, ends), { ok: true, value: { known: 0 } })
    assert.deepEqual(node.swarm.threadIds(), [thread])
  })
})
