/**
 * Goal: a crowd of identities, which cost nothing, takes a node no room that others need. Method: each room filled by made-up names up to its limit and beyond.
 */
import { strict as assert } from 'node:assert'
import { THREADS_MAX } from '../../../../src/core/base/index.ts'
import { idOf } from '../../../../src/core/codec/index.ts'
import type { Admitted } from '../../../../src/core/envelope/index.ts'
import { EarlyArrivals } from '../../../../src/core/swarm/early.ts'
import { EvidenceShelf, type KeptEvidence } from '../../../../src/core/swarm/evidence-shelf.ts'
import { HELD_BYTES_MAX, HeldBytes } from '../../../../src/core/swarm/room.ts'
import { type Tombstone, Tombstones } from '../../../../src/core/swarm/tombstones.ts'
import { fastSignatures } from '../../../../src/simulator/index.ts'
import { give } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

const PER_IDENTITY = 1_000
const MIB = 1024 * 1024

describe('core/swarm: a crowd of requesters', function () {
  this.timeout(120_000)

  it('leaves room for NEEDs of those who are connected, and in the end its own makes way', () => {
    const cluster = new SwarmCluster({ nodes: 1, signatures: fastSignatures() })
    const [node] = cluster.nodes as [ClusterNode]
    const stateFrom = (identity: number, count: number): readonly string[] => {
      const keys = cluster.signatures.keys(identity)
      return Array.from({ length: count }, (_, slot) => {
        const need = cluster.need({ slot: `slot-${slot}`, expiresAt: cluster.nowMs + 600_000 })
        // Past the door, which bounds each identity's rate: what is looked at here is the machine's own room.
        const admitted = cluster.seal(keys, need, slot + 1)
        give(cluster, [node], admitted)
        return admitted.id
      })
    }
    const connect = (identity: number): void => {
      const { did } = cluster.signatures.keys(identity)
      cluster.input(node, { kind: 'peer', nowMs: cluster.nowMs, did, connected: true })
    }
    const crowd = Array.from({ length: 9 }, (_, index) =>
      stateFrom(20 + index, PER_IDENTITY)
    ).flat()
    const held = (): number => node.swarm.threadIds().length
    assert.equal(held(), 0.75 * THREADS_MAX)
    for (const identity of [40, 41, 42]) {
      connect(identity)
      for (const id of stateFrom(identity, PER_IDENTITY)) assert.ok(node.swarm.has(id))
    }
    assert.equal(held(), THREADS_MAX)
    assert.ok(!node.swarm.has(crowd[0] as string), 'the oldest of a stranger is let go')
    assert.ok(node.swarm.has(crowd[PER_IDENTITY] as string), 'as few as have to')
    const letGo = node.events.flatMap(event => (event.type === 'let-go' ? [event.thread] : []))
    assert.equal(letGo[0], crowd[0], 'what else was kept of it may go too')
    assert.ok(letGo.every(id => !node.swarm.has(id)))
    const own = cluster.command(node, { type: 'state-need', draft: cluster.need() })
    cluster.run(10)
    assert.equal((node.replies.get(own) as { ok: boolean }).ok, true)
  })

  it('cannot fill memory by bytes: its threads have a part of them, each requester a smaller one', () => {
    const bytes = new HeldBytes()
    const fill = (requester: string, isNeeded: boolean): number => {
      let added = 0
      while (bytes.hasRoomFor(requester, MIB, isNeeded)) {
        bytes.add(requester, MIB)
        added += MIB
      }
      return added
    }
    assert.equal(fill('one', false), HELD_BYTES_MAX / 8)
    for (let identity = 0; identity < 20; identity++) fill(`${identity}`, false)
    assert.equal(bytes.total, 0.75 * HELD_BYTES_MAX)
    assert.equal(fill('a group of this node', true), 0.25 * HELD_BYTES_MAX)
    bytes.add('one', -HELD_BYTES_MAX / 8)
    assert.equal(fill('other', true), HELD_BYTES_MAX / 8)
  })

  it('leaves tombstones that may be forgotten, and none that binds is', () => {
    const tombstones = new Tombstones()
    const add = (n: number, more: Partial<Tombstone>): string => {
      const thread = idOf(Uint8Array.of(n))
      const slot = `did:key:a/${n}`
      tombstones.add({
        thread,
        slot,
        epoch: 0,
        decision: null,
        phase: 'FINAL',
        until: 100,
        ...more
      })
      return thread
    }
    const bound = [add(0, {}), add(1, {})]
    const spare = [add(2, { spare: true }), add(3, { spare: true }), add(4, { spare: true })]
    assert.equal(tombstones.get(spare[0] as string)?.spare, true)
    assert.equal(tombstones.get(spare[0] as string)?.phase, 'FINAL')
    assert.equal('spare' in (tombstones.get(bound[0] as string) ?? {}), false)
    tombstones.prune(50, 2)
    assert.deepEqual(
      [...bound, ...spare].map(thread => tombstones.has(thread)),
      [true, true, false, false, true]
    )
    assert.equal(tombstones.covers('did:key:a/0', 0), true)
    assert.equal(tombstones.covers('did:key:a/2', 0), false)
  })
})

describe('core/swarm: a crowd of culprits', () => {
  it('does not clear what is held against somebody who is connected', () => {
    const shelf = new EvidenceShelf()
    const isHere = (did: string): boolean => did === 'met'
    const kept = (index: number, did: string): KeptEvidence => ({
      id: `${index}`,
      bytes: new Uint8Array(10),
      conviction: {
        offence: 'two-forms',
        thread: `${index}`,
        slot: 's',
        epoch: 0,
        convicted: [did]
      } as unknown as KeptEvidence['conviction']
    })
    shelf.put(kept(0, 'met'), isHere)
    for (let index = 1; index <= 3_000; index++) shelf.put(kept(index, `${index}`), isHere)
    assert.ok(shelf.has('0'))
    assert.ok(shelf.has('3000') && !shelf.has('1'))
    assert.equal([...shelf.all()].length, 1_024)
  })
})

describe('core/swarm: a peer that sends too early', () => {
  const vote = (group: string) =>
    ({
      type: 'vote',
      group,
      stage: 'decide',
      digest: new Uint8Array(32),
      sig: new Uint8Array(64)
    }) as const

  it('does not keep others from it', () => {
    const early = new EarlyArrivals()
    for (let index = 0; index < 5_000; index++)
      early.holdMessage(`made up ${index}`, 'liar', vote(`made up ${index}`))
    early.holdMessage('group', 'member', vote('group'))
    assert.equal(early.messages('group').length, 1)
    assert.equal(early.messages('made up 0').length, 0, 'its oldest made way')
    for (let index = 0; index < 100; index++) early.holdMessage('one', 'liar', vote('one'))
    early.holdMessage('one', 'member', vote('one'))
    const from = early.messages('one').map(held => held.from)
    assert.ok(from.includes('member') && from.length <= 64)
  })

  it('keeps its own in memory only as long as others do not need the place, and drops nothing that others said', () => {
    const early = new EarlyArrivals()
    // The liar is the first at the group's key, so that it is the oldest of its keys.
    early.holdMessage('group', 'liar', vote('group'))
    early.holdMessage('group', 'member', vote('group'))
    for (let index = 0; index < 1_100; index++)
      early.holdMessage(`made up ${index}`, 'liar', vote(`made up ${index}`))
    for (const name of ['one', 'two', 'three']) early.holdMessage(name, 'member', vote(name))
    assert.deepEqual(
      early.messages('group').map(({ from }) => from),
      ['member']
    )
    for (const name of ['one', 'two', 'three']) assert.equal(early.messages(name).length, 1)
  })

  it('shares the room with others of its kind, and is charged nothing once all is taken out', () => {
    const early = new EarlyArrivals()
    const sources = Array.from({ length: 40 }, (_, index) => `liar ${index}`)
    for (let index = 0; index < 30_000; index++) {
      const key = `${(index * 7_919) % 1_500}`
      early.holdMessage(key, sources[(index * 31) % 40] as string, vote(key))
    }
    early.holdMessage('group', 'member', vote('group'))
    assert.equal(early.messages('group').length, 1)
    let held = 0
    for (let key = 0; key < 1_500; key++) held += early.messages(`${key}`).length
    assert.ok(held > 1_000 && held <= 32_768, `${held}`)
    // Nothing is charged to anybody any more: one alone may have all keys.
    for (let index = 0; index < 1_024; index++) early.holdMessage(`${index}`, 'x', vote('x'))
    for (let index = 0; index < 1_024; index++)
      assert.equal(early.messages(`${index}`).length, 1, `${index}`)
  })

  it('pays no more for a full room than for an empty one', () => {
    const early = new EarlyArrivals()
    for (let group = 0; group < 1_024; group++)
      for (let each = 0; each < 32; each++) early.holdMessage(`${group}`, 'liar', vote(`${group}`))
    const before = process.cpuUsage()
    for (let index = 0; index < 10_000; index++) {
      const source = index % 2 === 0 ? 'liar' : `${index}`
      early.holdMessage(`more ${index}`, source, vote('more'))
    }
    // Looking at all that waits for each of them took two seconds, and much longer where there are many sources.
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 1_000_000, `${user + system} µs`)
  })

  it('pays no more for many senders than for one', () => {
    const early = new EarlyArrivals()
    const admitted = (sender: string): Admitted =>
      ({ bytes: new Uint8Array(200), envelope: { sender } }) as unknown as Admitted
    for (let index = 0; index < 40_000; index++)
      early.holdEnvelope(`${index % 1_024}`, admitted(`sender ${index}`))
    const before = process.cpuUsage()
    for (let index = 0; index < 4_000; index++)
      early.holdEnvelope(`more ${index}`, admitted(`other ${index}`))
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 1_500_000, `${user + system} µs`)
  })
})
