/**
 * Goal: bids and findings say of their sender what its manifest says, whatever its agent leaves out (POL-22). Method: honest agents that leave it
 * out, from a NEED to its end.
 */
import { strict as assert } from 'node:assert'
import type { Envelope } from '../../../../src/core/envelope/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

describe('core/swarm: standing', () => {
  it('is in bids, attestations and seals, not in reveals, and the gates are asked with it', () => {
    const cluster = new SwarmCluster({ nodes: 5, seed: 7 })
    for (const [index, node] of cluster.nodes.entries())
      script(cluster, node, { works: index === 1, verifies: index >= 2 })
    const thread = stateNeed(cluster, {})
    const [requester] = cluster.nodes as [ClusterNode]
    const isFinal = (): boolean => requester.swarm.view(thread)?.phase === 'FINAL'
    assert(cluster.runUntil(isFinal, 30_000))
    const view = cluster.view(requester, thread)
    const said = <V extends 'PROPOSE' | 'ATTEST_PLAN' | 'ATTEST'>(verb: V): Envelope<V>[] =>
      view.envelopes
        .filter(one => one.verb === verb)
        .map(({ id }) => requester.swarm.envelope(thread, id)?.envelope as Envelope<V>)
    const attests = said('ATTEST')
    const seals = attests.filter(({ payload }) => payload.seal !== null)
    const speaking = [...said('PROPOSE'), ...said('ATTEST_PLAN'), ...seals]
    assert(speaking.length >= 3 && seals.length >= 1 && attests.length > seals.length)
    for (const { sender, payload } of speaking)
      assert.equal(
        String(payload.standing?.manifest),
        requester.swarm.manifests().get(sender)?.id,
        sender
      )
    for (const { payload } of attests)
      if (payload.seal === null) assert.equal(payload.standing, null)
    const bid = requester.swarm.bidSubject(thread, view.decide?.proposal ?? '')
    const result = requester.swarm.commitSubject(thread, view.commit?.id ?? '')
    assert(bid !== undefined && result !== undefined)
    assert.deepEqual(bid.standing, result.standing)
    assert(result.committee.length >= 1 && result.usage.claims === 1)
    assert.equal(requester.swarm.bidSubject(thread, thread), undefined)
  })
})
