/**
 * Goal: a lying leader, or requester, cannot fill the memory and the disk of those who take its entries. Method: one member feeds another, and a node outside
 * the roster, with entries that nobody needs, of the largest size; what the victim keeps is counted.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type { Admitted, Fact } from '../../../../src/core/envelope/index.ts'
import { encodeEntry } from '../../../../src/core/need/index.ts'
import type { LogEntry } from '../../../../src/core/raft/index.ts'
import type { PeerMessage } from '../../../../src/core/swarm/index.ts'
import { LOG_BYTES_MAX, THREAD_BYTES_MAX } from '../../../../src/core/swarm/room.ts'
import { signaturesOf } from '../../../../src/simulator/index.ts'
import { planPayload } from '../../../support/plan-payload.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

type World = {
  readonly cluster: SwarmCluster
  readonly thread: string
  readonly group: string
  readonly liar: ClusterNode
  readonly member: ClusterNode
  readonly observer: ClusterNode
}

function world(): World {
  const cluster = new SwarmCluster({ nodes: 6, seed: 11, signatures: signaturesOf('fast') })
  const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 3_600_000 })
  cluster.run(2_000)
  const { roster = [], id = '' } = cluster.view(cluster.nodes[0] as ClusterNode, thread).group ?? {}
  const liar = cluster.nodes.find(({ did }) => did === roster[0])
  const member = cluster.nodes.find(({ did }) => did === roster[1])
  const observer = cluster.nodes.find(({ did }) => !roster.includes(did))
  assert(liar !== undefined && member !== undefined && observer !== undefined)
  cluster.linked = () => false
  return { cluster, thread, group: id, liar, member, observer }
}

/** A valid envelope of the thread, about as large as one may be. */
function large({ cluster, thread }: World, count: number): Admitted {
  const value = 'x'.repeat(4_000)
  const facts = Array.from(
    { length: 15 },
    (_, at): Fact => ({ kind: 'ANNOTATE', task: 'text/upper', key: `k${at}`, value })
  )
  const draft = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), planPayload(facts))
  return cluster.seal(cluster.signatures.keys(70), draft, count)
}

function entriesFrom(first: number, data: readonly Uint8Array[]): LogEntry[] {
  return data.map((one, at) => ({ term: 1, index: first + at, data: one }))
}

function applied(cluster: SwarmCluster, node: ClusterNode, thread: string): number {
  return cluster.view(node, thread).group?.applied ?? 0
}

/** As the liar's append, all of it committed. */
function append(
  { cluster, thread, group, liar, member }: World,
  data: readonly Uint8Array[]
): void {
  const previousIndex = applied(cluster, member, thread)
  const entries = entriesFrom(previousIndex + 1, data)
  const message: PeerMessage = {
    type: 'raft',
    group,
    message: {
      type: 'append',
      from: liar.did,
      to: member.did,
      term: 1,
      previousIndex,
      previousTerm: 1,
      entries,
      commit: previousIndex + entries.length
    }
  }
  cluster.input(member, { kind: 'message', nowMs: cluster.nowMs, from: liar.did, message })
}

/** As the liar's report to a node outside the roster. */
function report(
  { cluster, thread, group, liar, observer }: World,
  data: readonly Uint8Array[]
): void {
  const entries = entriesFrom(applied(cluster, observer, thread) + 1, data)
  const message: PeerMessage = { type: 'log', group, thread, entries }
  cluster.input(observer, { kind: 'message', nowMs: cluster.nowMs, from: liar.did, message })
}

describe('core/swarm: what a liar logs', () => {
  for (const [name, feed, victimOf] of [
    ['a member', append, (of: World) => of.member],
    ['a node outside the roster', report, (of: World) => of.observer]
  ] as const) {
    it(`is refused by ${name} when it is neither an envelope nor a tick`, () => {
      const of = world()
      const before = applied(of.cluster, victimOf(of), of.thread)
      feed(of, [new Uint8Array(100_000)])
      feed(of, [encodeEntry({ stamp: of.cluster.nowMs, envelope: new Uint8Array(60_000) })])
      assert.equal(applied(of.cluster, victimOf(of), of.thread), before)
    })

    it(`is bounded at ${name} though it is the same envelope again and again`, () => {
      const of = world()
      const { bytes } = large(of, 1)
      const victim = victimOf(of)
      of.cluster.admit(victim, bytes, false)
      let fed = 0
      for (let at = 0; fed < 2 * LOG_BYTES_MAX + 1_000_000; at++) {
        const stamp = of.cluster.nowMs + at
        feed(of, [encodeEntry({ stamp, envelope: bytes })])
        fed += bytes.length
      }
      const kept = applied(of.cluster, victim, of.thread) * bytes.length
      assert(kept > LOG_BYTES_MAX && kept <= 2 * LOG_BYTES_MAX + 200_000, `${kept} bytes`)
    })
  }

  it('leaves no more than so many bytes of envelopes that no log will ever have', function () {
    this.timeout(120_000)
    const of = world()
    const victim = of.member
    const { bytes: unfounded } = large(of, 0)
    const forged = unfounded.with(unfounded.length - 1, 1)
    const each = unfounded.length
    const count = Math.ceil((1.1 * THREAD_BYTES_MAX) / each)
    const first = applied(of.cluster, victim, of.thread)
    for (let at = 1; at <= count; at++) {
      const stamp = of.cluster.nowMs
      const { bytes } = large(of, at)
      append(of, [
        encodeEntry({ stamp, envelope: bytes }),
        encodeEntry({ stamp: stamp + 1, envelope: forged })
      ])
      of.cluster.run(1)
    }
    const kept = of.cluster.view(victim, of.thread).envelopes.length * each
    assert.equal(applied(of.cluster, victim, of.thread), first)
    assert(kept <= THREAD_BYTES_MAX + 1_000_000, `${kept} bytes`)
  })
})
