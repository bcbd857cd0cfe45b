/**
 * Goal: a decision costs its followers one fsync, and its requester holds the certificate before anybody publishes it; but nobody votes for what a
 * majority could hold without having committed it (docs/decisions/0016). Method: what leaves each node in each step, and appends made by hand.
 */
import { strict as assert } from 'node:assert'
import type { Admitted } from '../../../../src/core/envelope/index.ts'
import type { LogEntry, RaftMessage } from '../../../../src/core/raft/index.ts'
import type { Effect, PeerMessage } from '../../../../src/core/swarm/index.ts'
import type { Witness } from '../../../../src/simulator/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

type Step = { readonly node: ClusterNode; readonly effects: readonly Effect[] }

function world(
  seed: number,
  { verifies }: { readonly verifies: boolean }
): { cluster: SwarmCluster; steps: Step[]; thread: string } {
  const steps: Step[] = []
  const witness: Witness = { stepped: (node, _, effects) => void steps.push({ node, effects }) }
  const cluster = new SwarmCluster({ nodes: 5 + (seed % 5), seed, witness })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1, verifies: verifies && index === 2, commits: false })
  return { cluster, steps, thread: stateNeed(cluster) }
}

function sends(effects: readonly Effect[], type: PeerMessage['type']): PeerMessage[] {
  return effects.flatMap(effect =>
    effect.kind === 'send' && effect.message.type === type ? [effect.message] : []
  )
}

function acknowledges(effects: readonly Effect[]): boolean {
  return sends(effects, 'raft').some(
    message => message.type === 'raft' && message.message.type === 'append-reply'
  )
}

describe('core/swarm: votes with acknowledgements', () => {
  it('leave followers on the fsync of the entry, and certify for the requester before a DECIDE does', () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 10; seed++) {
      const { cluster, steps, thread } = world(seed, { verifies: true })
      const requester = cluster.nodes[0] as ClusterNode
      const isCertified = (): boolean => cluster.view(requester, thread).decide?.certified === true
      assert(cluster.runUntil(isCertified, 10_000))
      const { envelopes, decide, group } = cluster.view(requester, thread)
      const votes = steps.filter(({ effects }) => sends(effects, 'vote').length > 0)
      const early = votes.filter(({ effects }) => acknowledges(effects))
      assert(early.length >= 2, `seed ${seed}: ${early.length} early votes`)
      for (const { effects } of early)
        assert(effects.some(effect => effect.kind === 'persist' && effect.sync))
      assert((decide?.signers.length ?? 0) >= 3)
      if (envelopes.every(({ verb }) => verb !== 'DECIDE'))
        seen.add(group?.member === true ? 'member' : 'outsider')
      assert(cluster.runUntil(() => cluster.view(requester, thread).lease !== null, 10_000))
    }
    assert.deepEqual(seen, new Set(['member', 'outsider']))
  })

  it('come again after all nodes have lost them, and certify the same decision', () => {
    let unpublished = 0
    for (let seed = 1; seed <= 6; seed++) {
      const { cluster, thread } = world(seed, { verifies: true })
      const requester = cluster.nodes[0] as ClusterNode
      const isCertified = (): boolean => cluster.view(requester, thread).decide?.certified === true
      assert(cluster.runUntil(isCertified, 10_000))
      const { envelopes, decide, group } = cluster.view(requester, thread)
      if (envelopes.every(({ verb }) => verb !== 'DECIDE')) unpublished += 1
      for (const node of cluster.nodes) cluster.crash(node)
      cluster.run(500)
      // One member stays away: three certify.
      const lost = cluster.nodes.find(
        node => node !== requester && group?.roster.includes(node.did) === true
      )
      for (const node of cluster.nodes) if (node !== lost) cluster.restart(node)
      assert(cluster.runUntil(isCertified, 30_000), `seed ${seed}`)
      assert.equal(cluster.view(requester, thread).decide?.proposal, decide?.proposal)
    }
    assert(unpublished > 0)
  })

  for (const [name, older, isExpected] of [
    ['are given for an entry of the term of the leader', 0, true],
    ['are not given for an entry of an earlier term, which a majority may hold and lose', 1, false]
  ] as const)
    it(name, () => {
      const { cluster, steps, thread } = world(5, { verifies: false })
      const [requester, , verifier] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode]
      cluster.runUntil(() => cluster.view(requester, thread).proposals[0]?.logged === true, 10_000)
      cluster.run(1_000)
      const { roster = [], id = '', term = 0, leader } = cluster.view(requester, thread).group ?? {}
      const from = cluster.nodes.find(({ did }) => did === leader) as ClusterNode
      const voter = cluster.nodes.find(
        node => node !== from && node !== verifier && roster.includes(node.did)
      ) as ClusterNode
      cluster.linked = () => false
      steps.length = 0
      script(cluster, verifier, { verifies: true })
      verifier.agent?.(verifier, { type: 'thread', thread, phase: 'BIDDING', atMs: cluster.nowMs })
      cluster.run(10)
      const said = cluster.view(verifier, thread).envelopes.at(-1)
      assert.equal(said?.verb, 'ATTEST_PLAN')
      const plan = verifier.swarm.envelope(thread, said.id) as Admitted
      give(cluster, [from, voter], plan)
      const known = cluster.view(voter, thread).group?.applied ?? 0
      const entry = steps
        .flatMap(({ effects }) => entriesOf(effects))
        .find(({ index }) => index === known + 1) as LogEntry
      const message: RaftMessage = {
        type: 'append',
        from: from.did,
        to: voter.did,
        term: term + older,
        previousIndex: known,
        previousTerm: term,
        entries: [entry],
        commit: known
      }
      steps.length = 0
      cluster.input(voter, {
        kind: 'message',
        nowMs: cluster.nowMs,
        from: from.did,
        message: { type: 'raft', group: id, message }
      })
      const own = steps.filter(({ node }) => node === voter).flatMap(({ effects }) => effects)
      assert(acknowledges(own))
      assert.equal(sends(own, 'vote').length > 0, isExpected)
    })
})

function entriesOf(effects: readonly Effect[]): readonly LogEntry[] {
  return effects.flatMap(effect =>
    effect.kind === 'persist'
      ? effect.records.flatMap(record => (record.type === 'entries' ? record.entries : []))
      : []
  )
}
