/**
 * Goal: what others say of ended threads closes their slots here and harms nothing that lives. Method: a virtual node that is told of ends it
 * has never seen, of one that it follows, and of one whose time has passed.
 */
import { strict as assert } from 'node:assert'
import { utf8 } from '../../../../src/core/base/index.ts'
import { cidOf } from '../../../../src/core/codec/index.ts'
import {
  type JournalRecord,
  TOMBSTONES_MAX,
  type Tombstone
} from '../../../../src/core/swarm/index.ts'
import { decodeRecord, encodeRecord } from '../../../../src/runtime/index.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

describe('core/swarm: checkpoints', () => {
  it('are told to whoever keeps them, here and at others, and never repeat a clock value', () => {
    const cluster = new SwarmCluster({ nodes: 2, seed: 2 })
    const [node, other] = cluster.nodes as [ClusterNode, ClusterNode]
    const root = new Uint8Array(32).fill(7)
    const say = (treeSize: number): string => {
      const payload = { epoch: 0, treeSize, root, stateRoots: [] }
      const draft = testDraft(cluster.nowMs, 'CHECKPOINT', null, payload)
      const id = cluster.command(node, { type: 'announce', draft })
      cluster.run(500)
      return (node.replies.get(id) as { value: { envelope: string } }).value.envelope
    }
    const said = say(3)
    for (const { events } of [node, other]) {
      const [event] = events.filter(({ type }) => type === 'checkpoint')
      assert(event?.type === 'checkpoint')
      const { id, sender, treeSize, thread } = event
      assert.deepEqual({ id, sender, treeSize }, { id: said, sender: node.did, treeSize: 3 })
      assert.equal(event.root, '07'.repeat(32))
      assert.equal(thread, null)
    }
    const before = [...node.swarm.snapshot()].length
    cluster.crash(node)
    cluster.restart(node)
    assert.equal([...node.swarm.snapshot()].length, before)
    assert.notEqual(say(3), said, 'another clock value is another envelope')
  })
})

describe('core/swarm: known ends', () => {
  function told(cluster: SwarmCluster, node: ClusterNode, ends: readonly Tombstone[]): unknown {
    const id = cluster.command(node, { type: 'know-ends', ends })
    cluster.run(1)
    return node.replies.get(id)
  }

  const endOf = (cluster: SwarmCluster, change: Partial<Tombstone>): Tombstone => ({
    thread: 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
    slot: `${cluster.nodes[0]?.did}/slot-1`,
    epoch: 0,
    decision: null,
    phase: 'FINAL',
    until: cluster.nowMs + 1_000_000,
    ...change
  })

  type Refused = { readonly refusal: { readonly code: string } }
  const threadOf = (at: number): string => cidOf(utf8(`thread ${at}`)).toString()
  const value = (known: number, left: number) => ({ ok: true, value: { known, left } })
  const isSpare = (record: JournalRecord): boolean =>
    record.type === 'tombstone' && record.spare === true

  it('close their slots, once, and survive a restart', () => {
    const cluster = new SwarmCluster({ nodes: 1, seed: 2 })
    const node = cluster.nodes[0] as ClusterNode
    const end = endOf(cluster, {})
    assert.deepEqual(told(cluster, node, [end, end]), value(1, 0))
    assert.deepEqual(told(cluster, node, [end]), value(0, 0))
    cluster.crash(node)
    cluster.restart(node)
    assert.deepEqual(node.swarm.tombstone(end.thread), { ...end, spare: true })
    const draft = cluster.need({ slot: 'slot-1', solo: true })
    const id = cluster.command(node, { type: 'state-need', draft })
    cluster.run(1)
    const refused = node.replies.get(id) as { ok: boolean; refusal: { code: string } }
    assert.equal(refused.refusal.code, 'SLOT_ENDED')
  })

  it('do not bury a thread that goes on here, nor come back after their time', () => {
    const cluster = new SwarmCluster({ nodes: 1, seed: 2 })
    const node = cluster.nodes[0] as ClusterNode
    cluster.command(node, { type: 'state-need', draft: cluster.need({ solo: true }) })
    cluster.run(100)
    const [thread = ''] = node.swarm.threadIds()
    const ends = [endOf(cluster, { thread }), endOf(cluster, { until: cluster.nowMs })]
    assert.deepEqual(told(cluster, node, ends), value(0, 0))
    assert.deepEqual(node.swarm.threadIds(), [thread])
  })

  it('are refused whole, and end nothing, when one says more than can be kept', () => {
    const cluster = new SwarmCluster({ nodes: 1, seed: 2 })
    const node = cluster.nodes[0] as ClusterNode
    const sound = endOf(cluster, { thread: threadOf(1) })
    const odd: Partial<Tombstone>[] = [
      { epoch: 255 },
      { epoch: 4 },
      { epoch: -1 },
      { slot: 'x'.repeat(9_000) },
      { decision: 'x'.repeat(300) },
      { thread: 'x'.repeat(300) },
      { until: 2 ** 48 },
      { until: Number.MAX_SAFE_INTEGER }
    ]
    for (const change of odd) {
      const answer = told(cluster, node, [sound, endOf(cluster, change)]) as Refused
      assert.equal(answer.refusal.code, 'END_SHAPE', Object.keys(change).join())
    }
    assert.equal(node.swarm.tombstoneCount(), 0)
    const longest = { slot: `${node.did}/${'x'.repeat(4_096)}`, epoch: 3, until: 2 ** 48 - 1 }
    assert.deepEqual(told(cluster, node, [endOf(cluster, longest)]), value(1, 0))
    for (const record of node.swarm.snapshot())
      assert.ok(decodeRecord(encodeRecord(record)).ok, 'the home starts again')
  })

  it('say for how many there was no room, and are spare: they keep no node from what comes', function () {
    this.timeout(60_000)
    const cluster = new SwarmCluster({ nodes: 1, seed: 2 })
    const node = cluster.nodes[0] as ClusterNode
    const ends = Array.from({ length: TOMBSTONES_MAX + 3 }, (_, at) =>
      endOf(cluster, { thread: `thread-${at}`, slot: `stranger/${at}` })
    )
    cluster.crash(node)
    for (const end of ends.slice(5)) node.disk.push({ type: 'tombstone', ...end, spare: true })
    cluster.restart(node)
    assert.deepEqual(told(cluster, node, ends.slice(0, 10)), value(2, 3))
    assert.deepEqual(told(cluster, node, ends.slice(0, 10)), value(0, 3))
    const spare = [...node.swarm.snapshot()].filter(isSpare)
    assert.equal(spare.length, TOMBSTONES_MAX)
  })

  it('stand for what was promised here, and are then not spare', () => {
    const cluster = new SwarmCluster({ nodes: 1, seed: 2 })
    const node = cluster.nodes[0] as ClusterNode
    const thread = threadOf(7)
    const promised: JournalRecord = {
      type: 'join',
      thread,
      slot: `${node.did}/slot-1`,
      epoch: 0,
      rosterHash: new Uint8Array(32)
    }
    cluster.crash(node)
    node.disk.push(promised)
    cluster.restart(node)
    const end = endOf(cluster, { thread })
    assert.deepEqual(told(cluster, node, [end]), value(1, 0))
    assert.deepEqual(node.swarm.tombstone(thread), end)
  })
})
