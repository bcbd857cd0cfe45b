/**
 * Goal: nodes that evaluate one question differently are seen at every node, as a warning and in the thread's view, and still after it is
 * archived (POL-19). Method: honest agents, and one node that attests every proposal by an evaluation of its own.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

describe('core/swarm: evaluations that differ', () => {
  it('are in the view of every node, with one warning for each subject', () => {
    const cluster = new SwarmCluster({ nodes: 5, seed: 7 })
    const [requester, one, two, three, liar] = cluster.nodes as ClusterNode[]
    assert(requester && one && two && three && liar)
    script(cluster, one, { works: true })
    for (const node of [two, three]) script(cluster, node, { verifies: true })
    const id = cluster.command(requester, {
      type: 'state-need',
      draft: cluster.need({ kPlan: 2, kResult: 2 })
    })
    cluster.run(1)
    const reply = requester.replies.get(id) as { ok: true; value: { envelope: string } }
    const thread = reply.value.envelope
    const proposals = () => liar.swarm.view(thread)?.proposals ?? []
    assert(cluster.runUntil(() => proposals().length > 0, 10_000))
    const [proposal] = proposals()
    const need = CID.parse(thread)
    cluster.command(liar, {
      type: 'publish',
      draft: testDraft(cluster.nowMs, 'ATTEST_PLAN', need, {
        need,
        proposal: CID.parse(proposal?.id ?? ''),
        evaluation: new Uint8Array(32).fill(9),
        standing: null
      })
    })
    const isEverywhere = (): boolean =>
      cluster.nodes.every(node => node.swarm.view(thread)?.phase === 'FINAL')
    assert(cluster.runUntil(isEverywhere, 30_000))
    for (const node of cluster.nodes) {
      const { divergences, warnings } = cluster.view(node, thread)
      assert.equal(divergences.length, 1)
      assert.equal(divergences[0]?.subject, proposal?.id)
      assert.deepEqual(
        divergences[0]?.evaluations.find(({ digest }) => digest.startsWith('09'))?.by,
        [liar.did]
      )
      const about = warnings.filter(warning => warning.includes('differently'))
      assert.equal(about.length, 1)
      assert.match(about[0] ?? '', new RegExp(`PROPOSE ${proposal?.id}`, 'u'))
    }
  })
})
