/**
 * Goal: a node's own plan updates form one chain, whatever is said at once, refused or lost. Method: the update-plan command in a cluster,
 * and the envelopes that come of it.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type { Admitted, Fact } from '../../../../src/core/envelope/index.ts'
import { planPayload } from '../../../support/plan-payload.ts'
import { give } from '../../../support/swarm-attacks.ts'
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

  it('close no circle in a proposal either, while what others link keeps nobody from bidding', () => {
    const { cluster, node, thread } = opened()
    const link = (parent: string, child: string): Fact => ({ kind: 'LINK', parent, child })
    const propose = (patch: readonly Fact[]): unknown => {
      const draft = testDraft(cluster.nowMs, 'PROPOSE', CID.parse(thread), {
        need: CID.parse(thread),
        patch: [...patch],
        ballot: { cost: 1n, etaMs: 1_000, bond: 1n },
        shardDependencies: [],
        standing: null
      })
      const id = cluster.command(node, { type: 'publish', draft })
      cluster.run(5)
      const reply = node.replies.get(id) as { ok: boolean; refusal?: { code: string } }
      return reply.ok || reply.refusal?.code
    }
    assert.equal(propose([link('a', 'b'), link('b', 'c'), link('c', 'a')]), 'PLAN_CYCLE')
    const stranger = cluster.signatures.keys(50)
    const facts = planPayload([link('b', 'a')])
    const noted = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), facts)
    give(cluster, [node], cluster.seal(stranger, noted, 90))
    assert.deepEqual(node.swarm.plan(thread)?.graph().order.includes('b'), true)
    assert.equal(propose([link('a', 'b'), link('b', 'c')]), true)
  })

  it('are refused with the circle that they would close', () => {
    const { cluster, node, thread } = opened()
    const link = (parent: string, child: string): Fact => ({ kind: 'LINK', parent, child })
    const facts = [link('a', 'b'), link('b', 'c')]
    cluster.command(node, { type: 'update-plan', thread, facts, refs: [] })
    const closing = [link('c', 'a')]
    const id = cluster.command(node, { type: 'update-plan', thread, facts: closing, refs: [] })
    const after = say(cluster, node, thread, 'after')
    cluster.run(100)
    assert.deepEqual(node.replies.get(id), {
      ok: false,
      refusal: {
        code: 'PLAN_CYCLE',
        message: 'the links would close a circle: c -> a -> b -> c'
      }
    })
    assert.equal((node.replies.get(after) as { ok: boolean }).ok, true, 'the next one goes on')
  })
})

describe('core/swarm: forked plan updates', () => {
  it('count nowhere, convict their sender, and are shown to those who have one of them', () => {
    const { cluster, thread } = opened()
    const liar = cluster.signatures.keys(70)
    const update = (value: string): Admitted<'UPDATE_PLAN'> => {
      const payload = planPayload([note(value)])
      return cluster.seal(
        liar,
        testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), payload),
        7
      )
    }
    const [left, right] = [update('left'), update('right')]
    cluster.nodes.forEach((node, index) => {
      const admitted = index % 2 === 0 ? left : right
      cluster.input(node, { kind: 'envelope', nowMs: cluster.nowMs, admitted, local: false })
    })
    const [one, two] = cluster.nodes.map(node => node.swarm.plan(thread)?.view())
    assert.notDeepEqual(one, two)
    // Node 0 hears the other one: nobody else does but from it.
    const [first] = cluster.nodes as [ClusterNode]
    const late = { kind: 'envelope', nowMs: cluster.nowMs, local: false } as const
    cluster.input(first, { ...late, admitted: right })
    cluster.run(200)
    for (const { swarm } of cluster.nodes) {
      const view = swarm.plan(thread)?.view()
      assert.deepEqual(view?.forks, [{ sender: liar.did, session: 0, seq: 1 }])
      assert.deepEqual(view?.tasks[0]?.annotations, [])
      const [proof] = swarm.view(thread)?.evidence ?? []
      assert.deepEqual([proof?.offence, proof?.convicted], ['plan-fork', [liar.did]])
    }
  })
})
