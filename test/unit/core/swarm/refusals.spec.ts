/**
 * Goal: what a peer's door says against an own envelope reaches the person, once, and changes nothing else. Method: one machine that states a
 * NEED, peers that send notices.
 */
import { strict as assert } from 'node:assert'
import type { Effect, PeerMessage, SwarmEvent } from '../../../../src/core/swarm/index.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

type Notice = Extract<PeerMessage, { type: 'refused' }>

function stated(): { cluster: SwarmCluster; node: ClusterNode; thread: string } {
  const cluster = new SwarmCluster({ nodes: 1, seed: 3 })
  const node = cluster.nodes[0] as ClusterNode
  const id = cluster.command(node, { type: 'state-need', draft: cluster.need({}) })
  cluster.run(1)
  const reply = node.replies.get(id) as { ok: true; value: { envelope: string } }
  return { cluster, node, thread: reply.value.envelope }
}

function told(
  { cluster, node }: ReturnType<typeof stated>,
  from: string,
  notice: Partial<Notice>
): SwarmEvent[] {
  const message: Notice = {
    type: 'refused',
    envelope: '',
    code: 'POLICY_DENIED',
    reasons: ['need-budget: "9"'],
    ...notice
  }
  const effects = node.swarm.step({ kind: 'message', nowMs: cluster.nowMs, from, message })
  assert.ok(
    effects.every(effect => effect.kind === 'observe'),
    'nothing is sent, said or kept'
  )
  return effects.flatMap((effect: Effect) => (effect.kind === 'observe' ? [effect.event] : []))
}

describe('core/swarm/refusals', () => {
  it('warns of an own envelope that a peer refused, and shows it in the thread', () => {
    const world = stated()
    const { thread } = world
    const events = told(world, 'did:key:b', { envelope: thread })
    const { nowMs } = world.cluster
    assert.deepEqual(events[0], {
      type: 'refused',
      thread,
      envelope: thread,
      verb: 'NEED',
      by: 'did:key:b',
      code: 'POLICY_DENIED',
      reasons: ['need-budget: "9"'],
      atMs: nowMs
    })
    const text = 'own NEED was refused by did:key:b: need-budget: "9" [POLICY_DENIED]'
    assert.deepEqual(events[1], { type: 'warning', thread, message: text, atMs: nowMs })
    assert.deepEqual(world.cluster.view(world.node, thread).warnings, [text])
  })

  it('takes one notice from each peer, warns of the first, and hears a few', () => {
    const world = stated()
    const { thread: envelope } = world
    assert.equal(told(world, 'did:key:b', { envelope }).length, 2)
    assert.equal(told(world, 'did:key:b', { envelope }).length, 0)
    assert.equal(told(world, 'did:key:c', { envelope }).length, 1)
    for (let i = 0; i < 100; i++) told(world, `did:key:${i}`, { envelope })
    assert.equal(told(world, 'did:key:late', { envelope }).length, 0)
    assert.equal(world.cluster.view(world.node, envelope).warnings.length, 1)
  })

  it('passes over what this node never said', () => {
    const world = stated()
    assert.deepEqual(told(world, 'did:key:b', { envelope: 'bafyother' }), [])
    assert.deepEqual(world.cluster.view(world.node, world.thread).warnings, [])
  })

  it('leaves nothing in a stranger’s text that a terminal would obey', () => {
    const world = stated()
    const reasons = ['\u001b[2J\u202egone\nnext\ud800']
    const [event] = told(world, 'did:key:b', { envelope: world.thread, reasons })
    assert.ok(event?.type === 'refused')
    assert.deepEqual(event.reasons, [' [2J gone next\ufffd'])
  })
})
