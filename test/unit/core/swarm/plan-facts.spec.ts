/**
 * Goal: the plan of a thread says how far its task is, at every node alike. Method: a finished thread's facts, and the facts of a
 * forged DECIDE.
 */
import { strict as assert } from 'node:assert'
import { toHex } from '../../../../src/core/base/index.ts'
import type { Admitted, Draft } from '../../../../src/core/envelope/index.ts'
import { planView, viewDigest } from '../../../../src/core/plan/index.ts'
import { finishedThread } from '../../../support/finished-thread.ts'
import { type ClusterNode, OUTPUT, SwarmCluster } from '../../../support/swarm-cluster.ts'

describe('core/swarm: plan facts', () => {
  it('end in state FINAL with the outputs, equal at every node', () => {
    const { cluster, node, thread } = finishedThread()
    const view = node.swarm.plan(thread)?.view()
    const task = view?.tasks.find(each => each.task === 'text/upper')
    assert.equal(task?.state, 'FINAL')
    const source = node.swarm.view(thread)?.commit?.id
    assert.equal(task?.stateSource, source)
    assert.deepEqual(task?.outputs, [{ artifact: OUTPUT.toString(), source }])
    const plans = cluster.nodes.flatMap(each => each.swarm.plan(thread)?.view() ?? [])
    assert.equal(plans.length, cluster.nodes.length)
    assert.equal(new Set(plans.map(plan => toHex(viewDigest(plan)))).size, 1)
  })

  it('are not stated by a DECIDE whose certificate does not hold', () => {
    const { node, thread } = finishedThread()
    const id = node.swarm.view(thread)?.envelopes.find(each => each.verb === 'DECIDE')?.id ?? ''
    const { envelope } = node.swarm.envelope(thread, id) as Admitted<'DECIDE'>
    const cluster = new SwarmCluster({ nodes: 5, seed: 3 })
    const liar = cluster.nodes[4] as ClusterNode
    const need = cluster.command(liar, { type: 'state-need', draft: cluster.need() })
    cluster.run(1)
    const own = (liar.replies.get(need) as { value: { envelope: string } }).value.envelope
    const { cid } = liar.swarm.envelope(own, own) as Admitted<'NEED'>
    const forged = cluster.seal(liar.keys, { ...envelope, thread: cid } as Draft<'DECIDE'>, 50_000)
    cluster.input(liar, { kind: 'envelope', nowMs: cluster.nowMs, admitted: forged, local: false })
    assert.equal(planView(liar.swarm.planChanges(own)).tasks[0]?.state, 'DRAFT')
  })
})
