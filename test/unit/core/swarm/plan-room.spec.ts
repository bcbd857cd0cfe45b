/**
 * Goal: strangers who fill a plan keep out neither the requester, nor what shows that one of them said two things, and whoever looks is told.
 * Method: one node gets updates of the largest size until it takes no more.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type { Admitted, Fact } from '../../../../src/core/envelope/index.ts'
import { formatDid } from '../../../../src/core/identity/index.ts'
import { PLAN_BYTES_MAX, PLAN_STRANGERS_SESSIONS_MAX } from '../../../../src/core/swarm/room.ts'
import { type Keys, signaturesOf } from '../../../../src/simulator/index.ts'
import { planPayload } from '../../../support/plan-payload.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

describe('core/swarm: a full plan', () => {
  it('takes what shows a fork, and what the requester says, and says that it is full', () => {
    const cluster = new SwarmCluster({ nodes: 2, seed: 12, signatures: signaturesOf('fast') })
    const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 3_600_000 })
    const [requester, node] = cluster.nodes as [ClusterNode, ClusterNode]
    cluster.run(100)
    cluster.linked = () => false
    const take = (update: Admitted): boolean => {
      cluster.input(node, {
        kind: 'envelope',
        nowMs: cluster.nowMs,
        admitted: update,
        local: false
      })
      return node.swarm.envelope(thread, update.id) !== undefined
    }
    const say = (keys: Keys, value: string, lamport: number): Admitted => {
      const draft = testDraft(
        cluster.nowMs,
        'UPDATE_PLAN',
        CID.parse(thread),
        planPayload(factsOf(value))
      )
      return cluster.seal(keys, draft, lamport)
    }
    let strangers = 0
    while (take(say(cluster.signatures.keys(100 + strangers), 'x', 1))) strangers++
    const held = strangers * say(cluster.signatures.keys(99), 'x', 1).bytes.length
    assert.ok(held > PLAN_BYTES_MAX / 2 - 100_000 && held <= PLAN_BYTES_MAX / 2, `${held} bytes`)
    const { warnings } = cluster.view(node, thread)
    assert.ok(warnings.some(one => one.includes('no more room')))
    const first = cluster.signatures.keys(100)
    assert.ok(take(say(first, 'y', 2)), 'the other side of a fork')
    assert.deepEqual(node.swarm.plan(thread)?.view().forks, [
      { sender: first.did, session: 0, seq: 1 }
    ])
    assert.ok(!take(say(first, 'z', 3)), 'a third proves nothing more')
    assert.ok(take(say(requester.keys, 'mine', 4_000)), 'the requester')
  })
})

describe('core/swarm: a plan of very many sessions', () => {
  it('has no more of strangers than plan sync can name, and goes on with those that it has', () => {
    const cluster = new SwarmCluster({ nodes: 2, seed: 12, signatures: signaturesOf('fast') })
    const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 3_600_000 })
    const [requester, node] = cluster.nodes as [ClusterNode, ClusterNode]
    cluster.run(100)
    cluster.linked = () => false
    const take = (keys: Keys, place: { session: number; seq?: number }): boolean => {
      const payload = planPayload(undefined, place)
      const draft = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), payload)
      const update = cluster.seal(keys, draft, 1)
      give(cluster, [node], update)
      return node.swarm.envelope(thread, update.id) !== undefined
    }
    for (let at = 0; at < PLAN_STRANGERS_SESSIONS_MAX; at++)
      assert.ok(take(stranger(Math.floor(at / 16)), { session: at % 16 }), `${at}`)
    assert.ok(!take(stranger(-1), { session: 0 }), 'one more')
    assert.ok(cluster.view(node, thread).warnings.some(one => one.includes('no more room')))
    assert.ok(take(stranger(0), { session: 0, seq: 2 }), 'a session that is there')
    assert.ok(take(requester.keys, { session: 0 }), 'the requester')
  })
})

describe('core/swarm: many full plans of one requester', function () {
  this.timeout(60_000)

  it('leave room for what it says, and in the end for the groups of its NEEDs', () => {
    const cluster = new SwarmCluster({ nodes: 7, seed: 12, signatures: signaturesOf('fast') })
    const [requester, node] = cluster.nodes as [ClusterNode, ClusterNode]
    const expiresAt = cluster.nowMs + 3_600_000
    const threads = Array.from({ length: 6 }, (_, at) =>
      stateNeed(cluster, { slot: `slot-${at}`, expiresAt })
    )
    cluster.run(100)
    let place = 0
    const takes = (thread: string, keys: Keys): boolean => {
      place += 1
      const facts = planPayload(factsOf('x'))
      const update = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), facts)
      const session = { session: place % 16, seq: 1 + Math.floor(place / 16) }
      const draft = { ...update, payload: { ...update.payload, ...session } }
      const admitted = cluster.seal(keys, draft, place)
      give(cluster, [node], admitted)
      return node.swarm.envelope(thread, admitted.id) !== undefined
    }
    const fill = (thread: string, keysOf: (count: number) => Keys): number => {
      let count = 0
      while (takes(thread, keysOf(count))) count += 1
      return count
    }
    for (const thread of threads) fill(thread, stranger)
    const [first = ''] = threads
    assert.ok(takes(first, requester.keys), 'the requester')
    assert.ok(!takes(first, stranger(0)), 'a stranger')
    const own = threads.map(thread => fill(thread, () => requester.keys))
    assert.equal(own.at(-1), 0, 'its own room is bounded, too')
    const fresh = stateNeed(cluster, { slot: 'fresh', expiresAt })
    const formed = cluster.runUntil(() => node.swarm.view(fresh)?.group != null, 20_000)
    assert.ok(formed, 'its next NEED has a group here')
  })
})

/** As many identities as there are numbers. Nobody looks at their signatures: what they say has passed the door. */
function stranger(at: number): Keys {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setInt32(0, at)
  return { did: formatDid(key), sign: () => new Uint8Array(64) }
}

function factsOf(value: string): Fact[] {
  return Array.from({ length: 15 }, (_, at) => ({
    kind: 'ANNOTATE',
    task: 'text/upper',
    key: `k${at}`,
    value: value.repeat(4_000 / value.length)
  }))
}
