/**
 * Goal: no requester can take a node up, its own user is told, and strangers are dropped without a flood of warnings. Method: NEEDs up to the limit and beyond, own
 * and foreign.
 */
import { strict as assert } from 'node:assert'
import { OPEN_THREADS_PER_REQUESTER_MAX } from '../../../../src/core/base/index.ts'
import { fastSignatures } from '../../../../src/simulator/index.ts'
import { give } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

describe('core/swarm: admission of NEEDs', () => {
  it('follows no more open threads of a requester than the limit, and tells the local user why', () => {
    const cluster = new SwarmCluster({ nodes: 2, signatures: fastSignatures() })
    const [asks, follows] = cluster.nodes as [ClusterNode, ClusterNode]
    const state = (slot: number, expiresAt: number): number =>
      cluster.command(asks, {
        type: 'state-need',
        draft: cluster.need({ slot: `slot-${slot}`, expiresAt })
      })
    const end = cluster.nowMs + 60_000
    const commands = Array.from({ length: OPEN_THREADS_PER_REQUESTER_MAX + 2 }, (_, slot) => {
      // No faster than a sender may be for long.
      if (slot % 25 === 0) cluster.run(1_000)
      return state(slot, end)
    })
    cluster.run(1_000)
    const codes = commands.map(id => codeOf(asks.replies.get(id)))
    assert.deepEqual([...new Set(codes.slice(0, -2))], [null])
    // The last ones were on their way to be signed when the limit was reached.
    assert.deepEqual(codes.slice(-2), ['TOO_MANY_THREADS', 'TOO_MANY_THREADS'])
    const late = state(codes.length, end)
    assert.equal(codeOf(asks.replies.get(late)), 'TOO_MANY_THREADS')
    assert.equal(follows.swarm.threadIds().length, OPEN_THREADS_PER_REQUESTER_MAX)

    cluster.run(60_000)
    const again = state(codes.length + 1, cluster.nowMs + 10_000)
    cluster.run(100)
    assert.equal(codeOf(asks.replies.get(again)), null, 'ended threads do not count')
  })

  it("drops a stranger's NEEDs beyond the limit, and warns now and then", () => {
    const cluster = new SwarmCluster({ nodes: 1, signatures: fastSignatures() })
    const [node] = cluster.nodes as [ClusterNode]
    const stranger = cluster.signatures.keys(9)
    for (let slot = 0; slot < OPEN_THREADS_PER_REQUESTER_MAX + 50; slot++) {
      const need = cluster.need({ slot: `slot-${slot}` })
      // Past the door, which bounds the stranger's rate: what is looked at here is the machine's own limit.
      give(cluster, [node], cluster.seal(stranger, need, slot + 1))
    }
    cluster.run(10)
    assert.equal(node.swarm.threadIds().length, OPEN_THREADS_PER_REQUESTER_MAX)
    const warnings = node.events.filter(event => event.type === 'warning')
    assert.equal(warnings.length, 1)
    const other = cluster.seal(cluster.signatures.keys(10), cluster.need(), 1)
    cluster.admit(node, other.bytes, false)
    assert(node.swarm.view(other.id) !== undefined, 'others are not concerned')
  })
})

function codeOf(reply: unknown): string | null {
  const result = reply as { ok: boolean; refusal?: { code: string } }
  return result.ok ? null : (result.refusal?.code ?? null)
}
