// Goal: a thread that is over leaves memory, stays readable, and nothing brings it back (R12).
// Method: five machines in virtual time; a NEED becomes FINAL, lingers, is archived; then everything that could revive it is tried.
import assert from 'node:assert/strict'
import { CID } from '../../../../src/core/codec/index.ts'
import {
  answerFromArchive,
  type PeerMessage,
  type Pull,
  reviveThread
} from '../../../../src/core/swarm/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

const LINGER_MS = 70_000

function world(seed = 1): { cluster: SwarmCluster; requester: ClusterNode } {
  const cluster = new SwarmCluster({ nodes: 5, seed })
  const [requester, ...others] = cluster.nodes as [ClusterNode, ...ClusterNode[]]
  for (const node of others) script(cluster, node, { works: true, verifies: true })
  return { cluster, requester }
}

function state(cluster: SwarmCluster, requester: ClusterNode): string {
  const id = cluster.command(requester, { type: 'state-need', draft: cluster.need() })
  cluster.runUntil(() => requester.replies.has(id), 1_000)
  const reply = requester.replies.get(id) as { value: { envelope: string } }
  return reply.value.envelope
}

function finish(cluster: SwarmCluster, requester: ClusterNode): string {
  const thread = state(cluster, requester)
  const isFinal = (): boolean =>
    cluster.nodes.every(node => node.swarm.view(thread)?.phase === 'FINAL')
  assert.ok(cluster.runUntil(isFinal, 20_000), 'the thread ends')
  return thread
}

function archived(): { cluster: SwarmCluster; requester: ClusterNode; thread: string } {
  const made = world()
  const thread = finish(made.cluster, made.requester)
  made.cluster.run(LINGER_MS)
  return { ...made, thread }
}

describe('core/swarm: ended threads', () => {
  it('leave memory when nothing about them has come for a while', () => {
    const { cluster, requester } = world()
    const thread = finish(cluster, requester)
    const before = cluster.view(requester, thread)
    cluster.run(LINGER_MS / 2)
    assert.equal(requester.swarm.has(thread), true)
    cluster.run(LINGER_MS)
    for (const node of cluster.nodes) {
      assert.equal(node.swarm.has(thread), false)
      assert.equal(node.swarm.tombstone(thread)?.phase, 'FINAL')
      assert.equal(node.events.filter(event => event.type === 'archived').length, 1)
    }
    assert.equal(requester.swarm.tombstone(thread)?.decision, before.decide?.proposal)
    assert.equal(requester.swarm.tombstone(thread)?.epoch, 0)
  })

  it('are the same when they are read back: view, record, plan', () => {
    const { cluster, requester } = world()
    const thread = finish(cluster, requester)
    cluster.run(1_000)
    const before = cluster.nodes.map(({ swarm }) => [
      swarm.view(thread),
      swarm.record(thread),
      swarm.planChanges(thread)
    ])
    cluster.run(LINGER_MS)
    for (const [index, node] of cluster.nodes.entries()) {
      const kept = node.archive.get(thread)
      assert.ok(kept !== undefined)
      const revived = reviveThread(kept, node.did)
      assert.deepEqual(
        [revived.view(thread), revived.record(thread), revived.planChanges(thread)],
        before[index]
      )
      assert.equal(kept.summary.phase, 'FINAL')
    }
  })

  it('are answered out of the archive as if they were in memory, whatever the peer has', () => {
    const { cluster, requester } = world()
    const thread = finish(cluster, requester)
    cluster.run(2 * LINGER_MS)
    const kept = requester.archive.get(thread)
    assert.ok(kept !== undefined)
    const view = reviveThread(kept, requester.did).view(thread)
    const ids = view?.envelopes.map(({ id }) => id) ?? []
    const some = { have: ids.slice(2), group: view?.group?.id ?? null, entries: 3 }
    const other = { have: [thread], group: 'another', entries: 3 }
    for (const has of [{ have: [], group: null, entries: 0 }, some, other]) {
      const pull: Pull = { type: 'pull', thread, ...has }
      const swarm = reviveThread(kept, requester.did)
      const effects = swarm.step({ kind: 'message', nowMs: 0, from: 'did:key:x', message: pull })
      const said = effects.flatMap(effect => (effect.kind === 'send' ? [effect.message] : []))
      assert.ok(said.length > 1)
      assert.deepEqual(answerFromArchive(kept, pull), said)
    }
  })

  it('are read for one peer so many times at once, however many of them it asks for', () => {
    const { cluster, thread } = archived()
    const [, node, peer] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode]
    const pull: PeerMessage = { type: 'pull', thread, have: [], group: null, entries: 0 }
    const ask = (from: string): number =>
      node.swarm
        .step({ kind: 'message', nowMs: cluster.nowMs, from, message: pull })
        .filter(({ kind }) => kind === 'recall').length
    let read = 0
    for (let i = 0; i < 2_000; i++) read += ask(peer.did)
    assert.ok(read >= 64 && read <= 200, `${read} recalls`)
    for (let i = 0; i < 300; i++) ask(`did:key:${i}`)
    assert.equal(ask(peer.did), 0, 'others do not make it forgotten')
  })

  it('are not revived by anything that comes late', () => {
    const { cluster, requester, thread } = archived()
    const [, node, peer] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode]
    const kept = [...node.disk, ...node.unsynced]
    const envelopes = kept.flatMap(record => (record.type === 'envelope' ? [record.bytes] : []))
    node.known.clear()
    for (const bytes of envelopes) cluster.admit(node, bytes, false)
    const form = node.archive
      .get(thread)
      ?.records.findLast(record => record.type === 'learned' && record.entries.length > 0)
    assert.ok(form?.type === 'learned')
    const messages: PeerMessage[] = [
      { type: 'hello', threads: [thread] },
      { type: 'available', thread, epoch: 0 },
      { type: 'log', group: 'g', thread, entries: form.entries }
    ]
    for (const message of messages)
      cluster.input(node, { kind: 'message', nowMs: cluster.nowMs, from: peer.did, message })
    cluster.run(10_000)
    assert.equal(node.swarm.has(thread), false)
    assert.equal(node.swarm.threadIds().length, 0)
    assert.equal(requester.swarm.has(thread), false)
  })

  it('are declined to a requester that invites or binds', () => {
    const { cluster, requester, thread } = archived()
    const [, node] = cluster.nodes as [ClusterNode, ClusterNode]
    const sent: PeerMessage[] = []
    const send = cluster.send.bind(cluster)
    cluster.send = (from, to, message) => {
      if (from === node) sent.push(message)
      send(from, to, message)
    }
    const need = node.archive.get(thread)?.records.find(record => record.type === 'envelope')
    assert.ok(need?.type === 'envelope')
    const from = requester.did
    const input = (message: PeerMessage): void =>
      cluster.input(node, { kind: 'message', nowMs: cluster.nowMs, from, message })
    input({ type: 'invite', need: need.bytes, epoch: 0 })
    input({ type: 'bind', thread, epoch: 0, candidates: [], roster: [node.did] })
    assert.deepEqual(
      sent.map(message => message.type),
      ['decline', 'decline']
    )
    assert.equal(node.swarm.has(thread), false)
  })

  it('answer commands with THREAD_ENDED, and keep their slot', () => {
    const { cluster, requester, thread } = archived()
    const said = cluster.command(requester, {
      type: 'publish',
      draft: testDraft(cluster.nowMs, 'RELEASE', CID.parse(thread), {
        task: CID.parse(thread)
      })
    })
    const again = cluster.command(requester, { type: 'state-need', draft: cluster.need() })
    const other = cluster.command(requester, {
      type: 'state-need',
      draft: cluster.need({ slot: 'slot-2' })
    })
    cluster.run(100)
    const codeOf = (id: number): unknown =>
      (requester.replies.get(id) as { refusal?: { code: string } }).refusal?.code
    assert.deepEqual([said, again, other].map(codeOf), ['THREAD_ENDED', 'SLOT_ENDED', undefined])
    const { refusal } = requester.replies.get(again) as { refusal: { message: string } }
    const [, hours, minutes] = /taken for another (\d+) h (\d+) min/u.exec(refusal.message) ?? []
    const waitMs = (Number(hours) * 60 + Number(minutes)) * 60_000
    const until = requester.swarm.tombstone(thread)?.until ?? 0
    assert.ok(Math.abs(cluster.nowMs + waitMs - until) <= 60_000, refusal.message)
  })

  it('free their slot when they never bound anybody', () => {
    const cluster = new SwarmCluster({ nodes: 2 })
    const [requester] = cluster.nodes as [ClusterNode]
    const first = state(cluster, requester)
    cluster.run(26_000)
    assert.equal(cluster.view(requester, first).phase, 'EXPIRED')
    cluster.run(LINGER_MS)
    assert.equal(requester.swarm.tombstone(first)?.epoch, null)
    const second = state(cluster, requester)
    assert.equal(cluster.view(requester, second).phase, 'OPEN')
  })

  it('complete a node that was away, out of the archive', () => {
    const { cluster, requester } = world()
    const thread = state(cluster, requester)
    const isDecided = (): boolean =>
      cluster.nodes.every(node => node.swarm.view(thread)?.decide?.certified === true)
    assert.ok(cluster.runUntil(isDecided, 5_000))
    const { decide } = cluster.view(requester, thread)
    const late = cluster.nodes.findLast(node => node !== requester && node.did !== decide?.worker)
    assert.ok(late !== undefined)
    cluster.crash(late)
    const others = cluster.nodes.filter(node => node !== late)
    const over = (): boolean => others.every(node => node.swarm.tombstone(thread) !== undefined)
    assert.ok(cluster.runUntil(over, 100_000), 'the others finish and archive it')
    cluster.restart(late)
    assert.ok(
      cluster.runUntil(() => late.swarm.record(thread)?.complete === true, 30_000),
      'the late one learns the whole record'
    )
  })

  it('stay archived over a restart, and are asked for again when the archive was not reached', () => {
    const { cluster, requester } = world()
    const thread = finish(cluster, requester)
    const node = cluster.nodes[1] as ClusterNode
    cluster.run(LINGER_MS)
    assert.equal(node.swarm.has(thread), false)
    node.disk.push(...node.unsynced.splice(0))
    cluster.crash(node)
    cluster.restart(node)
    assert.equal(node.swarm.has(thread), false)
    assert.equal(node.swarm.tombstone(thread)?.phase, 'FINAL')
    const tombstones = node.disk.filter(record => record.type === 'tombstone')
    node.disk.splice(node.disk.indexOf(tombstones[0] as (typeof node.disk)[number]))
    cluster.crash(node)
    cluster.restart(node)
    assert.equal(node.swarm.has(thread), true)
    cluster.run(LINGER_MS)
    assert.equal(node.swarm.has(thread), false)
  })
})
