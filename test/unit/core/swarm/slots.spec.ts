/**
 * Goal: one slot and epoch of a requester is decided once (P1), whatever its user states. Method: two NEEDs about one slot whose
 * groups would have no member in common, at once, after a restart, and after the first has gone to the archive.
 */
import { strict as assert } from 'node:assert'
import { Swarm } from '../../../../src/core/swarm/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

function world(): { cluster: SwarmCluster; requester: ClusterNode; first: string } {
  const cluster = new SwarmCluster({ nodes: 5, seed: 4 })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1, verifies: index >= 2 })
  const first = stateNeed(cluster, { slot: 'one' })
  const requester = cluster.nodes[0] as ClusterNode
  assert(cluster.runUntil(() => requester.swarm.view(first)?.group != null, 5_000))
  return { cluster, requester, first }
}

describe('core/swarm: slots', () => {
  it('forms no group for a second NEED about the slot, and says why', () => {
    const { cluster, requester } = world()
    const second = stateNeed(cluster, { slot: 'one', solo: true })
    cluster.run(3_000)
    const view = cluster.view(requester, second)
    assert.equal(view.group, null)
    assert.match(view.reason, /another NEED of this node/u)
  })

  it('remembers across a restart whose slot it is', () => {
    const { cluster, requester } = world()
    cluster.crash(requester)
    cluster.restart(requester)
    const second = stateNeed(cluster, { slot: 'one', solo: true })
    cluster.run(3_000)
    assert.equal(cluster.view(requester, second).group, null)
  })

  it('forms a group for a NEED about another slot', () => {
    const { cluster, requester } = world()
    const second = stateNeed(cluster, { slot: 'two', solo: true })
    cluster.run(3_000)
    assert.notEqual(cluster.view(requester, second).group, null)
  })

  it('brings back a NEED that followed another one about its slot when that was forgotten', () => {
    const cluster = new SwarmCluster({ nodes: 1 })
    const { keys, did } = cluster.nodes[0] as ClusterNode
    const [first, second] = [1, 2].map(lamport => cluster.seal(keys, cluster.need(), lamport))
    assert(first !== undefined && second !== undefined)
    const swarm = new Swarm({ did, sign: keys.sign, verify: () => true, random: () => 0 })
    swarm.restore({
      type: 'tombstone',
      thread: first.id,
      slot: `${did}/slot-1`,
      epoch: 0,
      decision: null,
      phase: 'EXPIRED',
      until: cluster.nowMs - 1
    })
    swarm.restore({ type: 'envelope', bytes: second.bytes, atMs: cluster.nowMs })
    swarm.start(cluster.nowMs)
    assert(swarm.has(second.id))
  })
})
