/**
 * Goal: a node's own plan updates form one chain, whatever is said at once, refused or lost. Method: the update-plan command in a cluster,
 * and the envelopes that come of it.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type { Admitted, Fact } from '../../../../src/core/envelope/index.ts'
import { planPayload } from '../../../support/plan-payload.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

type Update = Admitted<'UPDATE_PLAN'>

function note(value: string): Fact {
  return { kind: 'ANNOTATE', task: 'text/upper', key: 'note', value }
}

function opened(): { cluster: SwarmCluster; node: ClusterNode; thread: string } {
  const cluster = new SwarmCluster({ nodes: 5, seed: 5 })
  const node = cluster.nodes[0] as ClusterNode
  const need = cluster.command(node, { type: 'state-need', draft: cluster.need() })
  cluster.run(5)
  const reply = node.replies.get(need) as { value: { envelope: string } }
  return { cluster, node, thread: reply.value.envelope }
}

function say(cluster: SwarmCluster, node: ClusterNode, thread: string, value: string): number {
  return cluster.command(node, { type: 'update-plan', thread, facts: [note(value)], refs: [] })
}

function updatesOf(node: ClusterNode, thread: string, sender = node.did): Update[] {
  const all = node.swarm.view(thread)?.envelopes ?? []
  return all
    .filter(each => each.verb === 'UPDATE_PLAN' && each.sender === sender)
    .map(({ id }) => node.swarm.envelope(thread, id) as Update)
}

function placesOf(updates: readonly Update[]): unknown[] {
  return updates.map(({ envelope: { payload } }) => [
    payload.session,
    payload.seq,
    payload.previous?.toString() ?? null
  ])
}

describe('core/swarm: own plan updates', () => {
  it('name each the one before, though they are asked for at once', () => {
    const { cluster, node, thread } = opened()
    const ids = ['one', 'two', 'three'].map(value => say(cluster, node, thread, value))
    cluster.run(100)
    const updates = updatesOf(node, thread)
    assert.deepEqual(placesOf(updates), [
      [0, 1, null],
      [0, 2, updates[0]?.id],
      [0, 3, updates[1]?.id]
    ])
    for (const [at, id] of ids.entries())
      assert.deepEqual(node.replies.get(id), { ok: true, value: { envelope: updates[at]?.id } })
    const elsewhere = updatesOf(cluster.nodes[1] as ClusterNode, thread, node.did)
    assert.equal(elsewhere.length, 3)
  })

  it('are not stated by a draft: the node gives them their place', () => {
    const { cluster, node, thread } = opened()
    const draft = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), planPayload())
    const id = cluster.command(node, { type: 'publish', draft })
    cluster.run(5)
    const reply = node.replies.get(id) as { ok: false; refusal: { code: string } }
    assert.equal(reply.refusal.code, 'USE_UPDATE_PLAN')
  })

  it('go on in the next session when there are two at one place', () => {
    const { cluster, node, thread } = opened()
    say(cluster, node, thread, 'before')
    cluster.run(100)
    const draft = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), planPayload())
    const forked = cluster.seal(node.keys, draft, 50_000)
    cluster.input(node, { kind: 'envelope', nowMs: cluster.nowMs, admitted: forked, local: false })
    say(cluster, node, thread, 'after')
    cluster.run(100)
    assert.deepEqual(placesOf(updatesOf(node, thread)).at(-1), [1, 1, null])
  })
})
