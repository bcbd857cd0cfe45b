/**
 * Goal: a leader that is gone for good, which a group of seven has to survive twice, does not leave it with members that are locked on what nobody else
 * decides. Method: its last append reaches two followers; the other four, a majority and no quorum, elect another leader and decide anew.
 */
import { strict as assert } from 'node:assert'
import type { Admitted } from '../../../../src/core/envelope/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

describe('core/swarm: votes with acknowledgements in a group of seven', () => {
  it('leave a quorum that can certify when an entry is lost with its leader', () => {
    const cluster = new SwarmCluster({ nodes: 10, seed: 3, settings: { groupSize: 7 } })
    const { nodes } = cluster
    for (const [index, node] of nodes.entries()) script(cluster, node, { works: index === 1 })
    const thread = stateNeed(cluster)
    const [requester] = nodes as [ClusterNode]
    const isBid = (): boolean => cluster.view(requester, thread).proposals[0]?.logged === true
    assert(cluster.runUntil(isBid, 10_000))
    cluster.run(1_000)
    const { roster = [], leader } = cluster.view(requester, thread).group ?? {}
    assert.equal(roster.length, 7)
    const members = nodes.filter(({ did }) => roster.includes(did))
    const first = members.find(({ did }) => did === leader) as ClusterNode
    const followers = members.filter(node => node !== first && node !== requester)
    const [a, b] = followers as [ClusterNode, ClusterNode]
    const cut = new Set([first, a, b])
    cluster.gossips = false
    cluster.linked = (from, to) => from === first && cut.has(to)
    const verifier = nodes.find(
      node => !roster.includes(node.did) && node !== requester && node !== nodes[1]
    ) as ClusterNode
    script(cluster, verifier, { verifies: true })
    verifier.agent?.(verifier, { type: 'thread', thread, phase: 'BIDDING', atMs: cluster.nowMs })
    cluster.run(10)
    const said = cluster.view(verifier, thread).envelopes.at(-1)
    assert.equal(said?.verb, 'ATTEST_PLAN')
    const plan = verifier.swarm.envelope(thread, said.id) as Admitted
    give(cluster, [first, a, b], plan)
    cluster.run(40)
    cluster.crash(first)
    cluster.linked = (from, to) => !cut.has(from) && !cut.has(to)
    give(
      cluster,
      nodes.filter(node => node.alive),
      plan
    )
    const decided = (): boolean =>
      members.some(node => !cut.has(node) && cluster.view(node, thread).decide !== null)
    assert(cluster.runUntil(decided, 20_000))
    cluster.linked = () => true
    cluster.gossips = true
    const certified = (): boolean => cluster.view(a, thread).decide?.certified === true
    assert(cluster.runUntil(certified, 20_000), 'no quorum is left for any decision')
  })
})
