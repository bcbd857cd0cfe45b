/**
 * Goal: a member whose log a certificate has refuted takes part in its group no more, also after a restart. Method: a lying leader of a far higher term
 * feeds one member; the others decide; the member learns the truth, and is started again while its own log looks like the newest.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import { encodeEntry } from '../../../../src/core/need/index.ts'
import type { PeerMessage } from '../../../../src/core/swarm/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

describe('core/swarm: a member that was lied to', () => {
  it('does not lead with what it learnt from others beyond its own log, after a restart', () => {
    const cluster = new SwarmCluster({ nodes: 6, seed: 11 })
    for (const [index, node] of cluster.nodes.entries())
      script(cluster, node, { works: index === 1, verifies: index >= 2, commits: false })
    const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 60_000 })
    const [requester, worker] = cluster.nodes as [ClusterNode, ClusterNode]
    const group = () => cluster.view(requester, thread).group
    assert(cluster.runUntil(() => (requester.swarm.view(thread)?.group?.applied ?? 0) > 0, 10_000))
    const { roster = [], id = '' } = group() ?? {}
    const leader = cluster.nodes.find(({ did }) => did === roster[0]) as ClusterNode
    const victim = cluster.nodes.find(
      node => ![requester, leader, worker].includes(node) && roster.includes(node.did)
    ) as ClusterNode
    cluster.linked = (from, to) => from !== victim && to !== victim
    const isDecided = (): boolean => requester.swarm.certificate(thread, 'decide') !== undefined
    assert(cluster.runUntil(isDecided, 10_000))
    const { decide } = cluster.view(requester, thread)
    const entries = Array.from({ length: (decide?.index ?? 0) + 2 }, (_, at) => ({
      term: 1_000,
      index: at + 1,
      data: encodeEntry({ stamp: cluster.nowMs + at, envelope: null })
    })).slice(cluster.view(victim, thread).group?.applied ?? 0)
    const from = leader.did
    const [first] = entries
    const previousIndex = (first?.index ?? 1) - 1
    const message: PeerMessage = {
      type: 'raft',
      group: id,
      message: {
        type: 'append',
        from,
        to: victim.did,
        term: 1_000,
        previousIndex,
        previousTerm: previousIndex === 0 ? 0 : 1,
        entries,
        commit: entries.at(-1)?.index ?? 0
      }
    }
    cluster.input(victim, { kind: 'message', nowMs: cluster.nowMs, from, message })
    assert.equal(cluster.view(victim, thread).group?.applied, entries.at(-1)?.index)
    const decided = cluster
      .view(requester, thread)
      .envelopes.find(({ verb }) => verb === 'DECIDE')?.id
    const certificate = requester.swarm.envelope(thread, decided ?? '')
    assert(certificate !== undefined)
    give(cluster, [victim], certificate)
    assert.match(cluster.view(victim, thread).warnings.join(), /does not fit the certificate/u)
    cluster.linked = () => true
    assert(cluster.runUntil(() => cluster.view(worker, thread).lease !== null, 10_000))
    const task = CID.parse(decide?.proposal ?? '')
    const length = (node: ClusterNode): number => cluster.view(node, thread).group?.applied ?? 0
    for (let beat = 0; beat < 20; beat++) {
      const draft = testDraft(cluster.nowMs, 'HEARTBEAT', CID.parse(thread), { task, progress: 1 })
      cluster.command(worker, { type: 'publish', draft })
      cluster.run(100)
    }
    const isBeyond = (): boolean => length(victim) > (entries.at(-1)?.index ?? 0)
    assert(cluster.runUntil(isBeyond, 20_000), 'it has learnt more than its own log has')
    cluster.crash(victim, victim.unsynced.length)
    cluster.restart(victim)
    cluster.run(5_000)
    const { leader: now, term } = cluster.view(leader, thread).group ?? {}
    assert.notEqual(now, victim.did)
    assert((term ?? 0) < 1_000, 'nobody hears of the term that the liar made up')
  })
})
