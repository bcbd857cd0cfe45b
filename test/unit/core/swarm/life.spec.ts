/**
 * Goal: one NEED goes from statement to a certified end under the conditions that a network offers. Method: five machines in a
 * virtual world with scripted agents; every claim is read from the views and records of the nodes.
 */
import { strict as assert } from 'node:assert'
import { script } from '../../../support/swarm-agents.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

const CLUSTER = { nodes: 5, seed: 7 }

function standard(cluster: SwarmCluster): void {
  const [, one, two, three, four] = cluster.nodes as [
    ClusterNode,
    ClusterNode,
    ClusterNode,
    ClusterNode,
    ClusterNode
  ]
  script(cluster, one, { works: true })
  script(cluster, two, { works: true, verifies: true })
  script(cluster, three, { verifies: true })
  script(cluster, four, { verifies: true })
}

function state(cluster: SwarmCluster, overrides = {}): string {
  const requester = cluster.nodes[0] as ClusterNode
  const id = cluster.command(requester, { type: 'state-need', draft: cluster.need(overrides) })
  cluster.run(1)
  const reply = requester.replies.get(id) as { ok: true; value: { envelope: string } }
  assert(reply.ok)
  return reply.value.envelope
}

function allEnded(cluster: SwarmCluster, thread: string): boolean {
  return cluster.nodes.every(
    node =>
      !node.alive || ['FINAL', 'INVALID', 'EXPIRED'].includes(node.swarm.view(thread)?.phase ?? '')
  )
}

describe('core/swarm: the life of a NEED', () => {
  it('goes from NEED to FINAL, with the same outcome and complete record at every node', () => {
    const cluster = new SwarmCluster(CLUSTER)
    standard(cluster)
    const thread = state(cluster)
    assert(
      cluster.runUntil(
        () => cluster.nodes.every(node => node.swarm.record(thread)?.complete === true),
        10_000
      ),
      JSON.stringify(
        cluster.nodes.map(node => [node.swarm.view(thread)?.phase, node.swarm.view(thread)?.reason])
      )
    )
    const ends = new Set(
      cluster.nodes.map(node => JSON.stringify(cluster.view(node, thread).finalize?.payouts))
    )
    assert.equal(ends.size, 1)
    const view = cluster.view(cluster.nodes[0] as ClusterNode, thread)
    assert.equal(view.phase, 'FINAL')
    assert.equal(view.decide?.worker, cluster.nodes[1]?.did, 'the cheapest bid wins')
    assert((view.decide?.signers.length ?? 0) >= 3)
    assert.equal(
      view.finalize?.payouts.reduce((sum, payout) => sum + Number(payout.amount), 0),
      110
    )
    for (const node of cluster.nodes) assert.deepEqual(cluster.view(node, thread).warnings, [])
  })

  it('ends INVALID when the verifiers reject', () => {
    const cluster = new SwarmCluster(CLUSTER)
    standard(cluster)
    for (const index of [2, 3, 4])
      script(cluster, cluster.nodes[index] as ClusterNode, { verifies: true, pass: false })
    const thread = state(cluster)
    assert(cluster.runUntil(() => allEnded(cluster, thread), 20_000))
    const view = cluster.view(cluster.nodes[0] as ClusterNode, thread)
    assert.equal(view.phase, 'INVALID')
    assert.match(view.reason, /output differs/u)
  })

  it('expires with a reason when nobody bids', () => {
    const cluster = new SwarmCluster(CLUSTER)
    const thread = state(cluster)
    assert(cluster.runUntil(() => allEnded(cluster, thread), 40_000))
    const view = cluster.view(cluster.nodes[0] as ClusterNode, thread)
    assert.equal(view.phase, 'EXPIRED')
    assert.match(view.reason, /no proposal/u)
    assert.notEqual(view.finalize, null, 'with a certificate')
  })

  it('expires without a group when there are too few voters', () => {
    const cluster = new SwarmCluster({ nodes: 3, seed: 1 })
    const thread = state(cluster)
    assert(cluster.runUntil(() => allEnded(cluster, thread), 40_000))
    assert.match(cluster.view(cluster.nodes[0] as ClusterNode, thread).reason, /voter/u)
  })

  it('finishes alone in single-node mode, and the group says so', () => {
    const cluster = new SwarmCluster({ nodes: 1, seed: 1 })
    script(cluster, cluster.nodes[0] as ClusterNode, { works: true, verifies: true })
    const thread = state(cluster, { solo: true })
    assert(
      cluster.runUntil(() => allEnded(cluster, thread), 10_000),
      cluster.nodes[0]?.swarm.view(thread)?.reason
    )
    const view = cluster.view(cluster.nodes[0] as ClusterNode, thread)
    assert.equal(view.phase, 'FINAL')
    assert.equal(view.group?.tier, 'single')
  })

  for (const crashed of [0, 1, 2, 3, 4]) {
    for (const after of ['NEED', 'FORM', 'DECIDE', 'CLAIM', 'COMMIT', 'ATTEST']) {
      it(`ends everywhere when node ${crashed} dies for good after ${after}`, () => {
        const cluster = new SwarmCluster({ nodes: 5, seed: crashed })
        standard(cluster)
        const thread = state(cluster)
        const seen = (): boolean =>
          cluster.nodes.some(node =>
            node.swarm.view(thread)?.envelopes.some(envelope => envelope.verb === after)
          )
        assert(cluster.runUntil(seen, 10_000), `${after} is reached`)
        cluster.crash(cluster.nodes[crashed] as ClusterNode)
        assert(
          cluster.runUntil(() => allEnded(cluster, thread), 60_000),
          JSON.stringify(cluster.nodes.map(node => node.swarm.view(thread)?.reason))
        )
      })

      it(`goes on when node ${crashed} dies after ${after} and comes back`, () => {
        const cluster = new SwarmCluster({ nodes: 5, seed: 10 + crashed })
        standard(cluster)
        const thread = state(cluster)
        const seen = (): boolean =>
          cluster.nodes.some(node =>
            node.swarm.view(thread)?.envelopes.some(envelope => envelope.verb === after)
          )
        assert(cluster.runUntil(seen, 10_000))
        const node = cluster.nodes[crashed] as ClusterNode
        cluster.crash(node)
        cluster.run(700)
        cluster.restart(node)
        assert(
          cluster.runUntil(
            () => cluster.nodes.every(each => each.swarm.record(thread)?.complete === true),
            60_000
          ),
          JSON.stringify(
            cluster.nodes.map(each => [
              each.swarm.view(thread)?.phase,
              each.swarm.view(thread)?.reason,
              each.swarm.view(thread)?.warnings
            ])
          )
        )
        const phases = new Set(cluster.nodes.map(each => cluster.view(each, thread).phase))
        assert.deepEqual(
          [...phases],
          ['FINAL'],
          cluster.view(cluster.nodes[0] as ClusterNode, thread).reason
        )
      })
    }
  }

  it('completes under heavy loss of gossip and direct messages', () => {
    for (let seed = 0; seed < 5; seed++) {
      const cluster = new SwarmCluster({ nodes: 5, seed })
      standard(cluster)
      cluster.loss = 0.2
      const thread = state(cluster, { expiresAt: cluster.nowMs + 60_000 })
      assert(
        cluster.runUntil(
          () => cluster.nodes.every(each => each.swarm.record(thread)?.complete === true),
          120_000
        ),
        JSON.stringify(
          cluster.nodes.map(each => [
            each.swarm.view(thread)?.phase,
            each.swarm.view(thread)?.reason
          ])
        )
      )
    }
  })
})
