/**
 * Goal: a member cannot depose the leader of its group by messages that no group has a use for. Method: single messages to a follower in the virtual
 * world, and what it writes down because of them.
 */
import { strict as assert } from 'node:assert'
import type { PeerMessage } from '../../../../src/core/swarm/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

/** Terms that a member wrote down because of the message. */
function newTerms(
  cluster: SwarmCluster,
  node: ClusterNode,
  from: string,
  message: PeerMessage
): number[] {
  const effects = node.swarm.step({ kind: 'message', nowMs: cluster.nowMs, from, message })
  const records = effects.flatMap(effect => (effect.kind === 'persist' ? effect.records : []))
  return records.flatMap(record => (record.type === 'hard-state' ? [record.state.term] : []))
}

describe('core/swarm: handing over of leadership', () => {
  it('is no part of a group: no member forces an election by it', () => {
    const cluster = new SwarmCluster({ nodes: 6, seed: 11 })
    for (const [index, node] of cluster.nodes.entries())
      script(cluster, node, { works: index === 1, verifies: index >= 2 })
    const thread = stateNeed(cluster)
    const first = cluster.nodes[0] as ClusterNode
    const isBidding = (): boolean => first.swarm.view(thread)?.phase === 'BIDDING'
    assert(cluster.runUntil(isBidding, 10_000))
    cluster.run(60)
    const { group } = cluster.view(first, thread)
    assert(group !== null)
    const leads = ({ did }: ClusterNode): boolean => did === group.leader
    const members = cluster.nodes.filter(({ did }) => group.roster.includes(did))
    const leader = members.find(leads)
    const [follower, rival] = members.filter(member => !leads(member))
    assert(leader !== undefined && follower !== undefined && rival !== undefined)
    const { term } = group
    const said = { lastIndex: 1_000, lastTerm: term, transfer: true }
    const messages = [
      { from: leader.did, type: 'timeout-now', term },
      { from: rival.did, type: 'vote', term: term + 1, ...said },
      { from: rival.did, type: 'pre-vote', term: term + 1, ...said }
    ]
    for (const message of messages) {
      const raft = { type: 'raft', group: group.id, message: { to: follower.did, ...message } }
      const terms = newTerms(cluster, follower, message.from, raft as PeerMessage)
      assert.deepEqual(terms, [], message.type)
    }
    const isOver = ({ swarm }: ClusterNode): boolean => swarm.view(thread)?.phase === 'FINAL'
    assert(cluster.runUntil(() => cluster.nodes.every(isOver), 15_000))
    assert.equal(cluster.view(follower, thread).group?.term, term)
  })
})
