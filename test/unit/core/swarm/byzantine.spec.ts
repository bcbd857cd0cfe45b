/**
 * Goal: requesters, leaders, members and strangers that lie do not lead honest nodes apart, and do not keep them from the end (P1, P6, R8, R10).
 * Method: an honest world in which one lie at a time is handed to some nodes.
 */
import { strict as assert } from 'node:assert'
import { CID, cidOf } from '../../../../src/core/codec/index.ts'
import type { Admitted } from '../../../../src/core/envelope/index.ts'
import { encodeEntry } from '../../../../src/core/need/index.ts'
import { drawOrder } from '../../../../src/core/roster/index.ts'
import { EarlyArrivals } from '../../../../src/core/swarm/early.ts'
import type { Effect, PeerMessage } from '../../../../src/core/swarm/index.ts'
import { finishedThread } from '../../../support/finished-thread.ts'
import { planPayload } from '../../../support/plan-payload.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, secondGroup, stateNeed } from '../../../support/swarm-attacks.ts'
import {
  type ClusterNode,
  SwarmCluster,
  testDraft,
  testKeys
} from '../../../support/swarm-cluster.ts'

function honest(seed = 11, nodes = 6): SwarmCluster {
  const cluster = new SwarmCluster({ nodes, seed })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1, verifies: index >= 2 })
  return cluster
}

function phases(cluster: SwarmCluster, thread: string): readonly (string | undefined)[] {
  return cluster.nodes.map(node => node.swarm.view(thread)?.phase)
}

function finalEverywhere(cluster: SwarmCluster, thread: string, msMax = 15_000): void {
  const complete = (): boolean =>
    cluster.nodes.every(node => node.swarm.record(thread)?.complete === true)
  const done = cluster.runUntil(complete, msMax)
  const seen = cluster.nodes.map(node => {
    const view = node.swarm.view(thread)
    return [view?.phase, view?.reason, view?.warnings]
  })
  assert(done, JSON.stringify(seen))
  assert.deepEqual(new Set(phases(cluster, thread)), new Set(['FINAL']))
}

function until(cluster: SwarmCluster, thread: string, phase: string): void {
  assert(
    cluster.runUntil(() => phases(cluster, thread).every(seen => seen === phase), 10_000),
    `${phase}: ${phases(cluster, thread)}`
  )
}

function say(
  cluster: SwarmCluster,
  to: ClusterNode,
  from: ClusterNode,
  message: PeerMessage
): void {
  cluster.input(to, { kind: 'message', nowMs: cluster.nowMs, from: from.did, message })
}

function roles(
  cluster: SwarmCluster,
  thread: string
): { leader: ClusterNode; follower: ClusterNode; observer: ClusterNode; group: string } {
  const group = cluster.view(cluster.nodes[0] as ClusterNode, thread).group
  assert(group !== null)
  const { roster, id } = group
  const inside = cluster.nodes.filter(node => roster.includes(node.did))
  const leader = inside.find(node => cluster.view(node, thread).group?.leader === node.did)
  // Not the worker: without it nothing goes on, whatever the group does.
  const follower = inside.find(node => node !== leader && node !== cluster.nodes[1])
  const observer = cluster.nodes.find(node => !roster.includes(node.did))
  assert(leader !== undefined && follower !== undefined && observer !== undefined)
  return { leader, follower, observer, group: id }
}

describe('core/swarm: equivocating requesters', () => {
  it('are seen: their second certified DECIDE leaves the log of the first group as it is, and both void', () => {
    for (const phase of ['BIDDING', 'DECIDED', 'VERIFIED']) {
      const cluster = honest()
      const thread = stateNeed(cluster)
      until(cluster, thread, phase)
      const { form, decide } = secondGroup(cluster, thread)
      give(cluster, cluster.nodes, decide)
      give(cluster, cluster.nodes, form)
      if (phase === 'VERIFIED') finalEverywhere(cluster, thread)
      else until(cluster, thread, 'DECIDED')
      for (const node of cluster.nodes) {
        const view = cluster.view(node, thread)
        assert.equal(view.decide?.worker, cluster.nodes[1]?.did)
        assert(view.warnings.some(warning => /equivocat/u.test(warning)))
        assert.equal(view.void?.epoch, 0)
      }
    }
  })

  it('lead no node to two decisions, whatever comes first, and to none once it has seen both', () => {
    const cluster = honest()
    const last = cluster.nodes[5] as ClusterNode
    cluster.linked = (from, to) => from !== last && to !== last
    const thread = stateNeed(cluster)
    const need = cluster.nodes[0]?.swarm.envelope(thread, thread)
    assert(need !== undefined)
    give(cluster, [last], need)
    const { decide } = secondGroup(cluster, thread)
    give(cluster, [last], decide)
    cluster.run(100)
    cluster.linked = () => true
    cluster.run(6_000)
    const view = cluster.view(last, thread)
    assert.equal(view.decide?.worker, decide.envelope.payload.decision.worker)
    assert.equal(view.group?.roster.includes(view.decide.worker), true)
    assert(view.warnings.some(warning => /equivocat/u.test(warning)))
    assert.equal(view.void?.epoch, 0)
  })
})

describe('core/swarm: lying members', () => {
  it('do not keep an observer from the true record by entries that nobody committed', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const { follower: liar, observer, group } = roles(cluster, thread)
    const first = (observer.swarm.view(thread)?.group?.applied ?? 0) + 1
    const entries = Array.from({ length: 200 }, (_, i) => ({
      term: 1,
      index: first + i,
      data: encodeEntry({ stamp: cluster.nowMs + i, envelope: null })
    }))
    say(cluster, observer, liar, { type: 'log', group, thread, entries })
    assert((observer.swarm.view(thread)?.group?.applied ?? 0) >= 200)
    finalEverywhere(cluster, thread)
  })

  it('do not keep a member from the end that a lying leader told otherwise than the others', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const { leader, follower, group } = roles(cluster, thread)
    const { applied = 0, term = 0 } = cluster.view(follower, thread).group ?? {}
    const data = encodeEntry({ stamp: cluster.nowMs + 1, envelope: null })
    const message = {
      type: 'append' as const,
      from: leader.did,
      to: follower.did,
      term,
      previousIndex: applied,
      previousTerm: term,
      entries: [{ term, index: applied + 1, data }],
      commit: applied + 1
    }
    say(cluster, follower, leader, { type: 'raft', group, message })
    assert.equal(cluster.view(follower, thread).group?.applied, applied + 1)
    finalEverywhere(cluster, thread, 30_000)
    cluster.crash(follower)
    cluster.restart(follower)
    finalEverywhere(cluster, thread, 30_000)
  })

  it('and strangers cannot feed entries to a node that has only the certificate', () => {
    const cluster = honest(12, 7)
    const thread = stateNeed(cluster)
    until(cluster, thread, 'VERIFIED')
    const { observer, leader, group } = roles(cluster, thread)
    cluster.linked = (_, to) => to !== observer
    cluster.run(3_000)
    const end = leader.swarm
      .view(thread)
      ?.envelopes.find(envelope => envelope.verb === 'FINALIZE')?.id
    const finalize = leader.swarm.envelope(thread, end ?? '')
    assert(finalize !== undefined)
    give(cluster, [observer], finalize)
    const applied = cluster.view(observer, thread).group?.applied ?? 0
    const stranger = cluster.nodes.find(
      node => !cluster.view(node, thread).group?.member && node !== observer
    )
    assert(stranger !== undefined)
    const data = encodeEntry({ stamp: cluster.nowMs, envelope: null })
    const entries = [{ term: 1, index: applied + 1, data }]
    for (let i = 0; i < 3; i++)
      say(cluster, observer, stranger, { type: 'log', group, thread, entries })
    cluster.linked = () => true
    finalEverywhere(cluster, thread)
  })
})

describe('core/swarm: clocks', () => {
  it('replaces a leader whose clock is far ahead, though it gives signs of life', () => {
    const cluster = honest()
    const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 60_000 })
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const { leader } = roles(cluster, thread)
    leader.skewMs = 30_000
    finalEverywhere(cluster, thread, 25_000)
  })

  it('goes on with one member whose clock is behind', () => {
    const cluster = honest()
    const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 60_000 })
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const { follower } = roles(cluster, thread)
    follower.skewMs = -10_000
    finalEverywhere(cluster, thread, 25_000)
  })

  it('does not let a stranger push the Lamport clock to its end, nor a restart set it back', () => {
    const cluster = honest(13, 1)
    const node = cluster.nodes[0] as ClusterNode
    const other = testKeys(50)
    for (const lamport of [900_000, 1_800_000, Number.MAX_SAFE_INTEGER])
      give(cluster, [node], cluster.seal(other, cluster.manifest(), lamport))
    const announce = (): number => {
      cluster.command(node, { type: 'announce', draft: cluster.manifest() })
      cluster.run(1)
      return node.swarm.manifests().get(node.did)?.envelope.lamport ?? 0
    }
    const before = announce()
    assert(before > 1_800_000 && before < 2_000_000)
    cluster.crash(node)
    node.disk = node.disk.filter(
      record =>
        record.type !== 'envelope' || record.bytes === node.swarm.manifests().get(node.did)?.bytes
    )
    cluster.restart(node)
    assert(announce() > before)
  })
})

describe('core/swarm: strangers that ask', () => {
  const sent = (cluster: SwarmCluster, node: ClusterNode, message: PeerMessage): Effect[] =>
    node.swarm
      .step({
        kind: 'message',
        nowMs: cluster.nowMs,
        from: testKeys(60).did,
        message
      })
      .filter(effect => effect.kind === 'send')

  it('get one answer to a pull, and no end for a message to a group that is not theirs', () => {
    const { cluster, node, thread } = finishedThread()
    const pull: PeerMessage = { type: 'pull', thread, have: [], group: null, entries: 0 }
    assert(sent(cluster, node, pull).length > 0)
    assert.equal(sent(cluster, node, pull).length, 0)
    const group = cluster.view(node, thread).group?.id ?? ''
    const from = testKeys(60).did
    const message = {
      type: 'heartbeat' as const,
      from,
      to: node.did,
      term: 1,
      commit: 0,
      quiesce: false
    }
    assert.equal(sent(cluster, node, { type: 'raft', group, message }).length, 0)
  })

  it('are asked once for a thread that they name a thousand times', () => {
    const { cluster, node } = finishedThread()
    const threads = Array(1_000).fill(String(cidOf(new Uint8Array(1))))
    assert.equal(sent(cluster, node, { type: 'hello', threads }).length, 1)
    assert.equal(sent(cluster, node, { type: 'hello', threads }).length, 0)
  })

  it('cannot bring a member to promise a second roster for a thread that has its group', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const { observer } = roles(cluster, thread)
    const candidates = [observer.did, ...[60, 61, 62].map(index => testKeys(index).did)]
    const message: PeerMessage = {
      type: 'bind',
      thread,
      epoch: 0,
      candidates: candidates.map(did => ({ did, manifest: thread })),
      roster: drawOrder(thread, 0, candidates)
    }
    const effects = observer.swarm.step({
      kind: 'message',
      nowMs: cluster.nowMs,
      from: cluster.nodes[0]?.did ?? '',
      message
    })
    assert.deepEqual(
      effects.map(effect => effect.kind === 'send' && effect.message.type),
      ['decline']
    )
  })
})

describe('core/swarm: what leaders log', () => {
  it('is neither a snapshot nor another configuration: no thread has them', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const { leader, follower, group } = roles(cluster, thread)
    const { applied = 0, term = 0 } = cluster.view(follower, thread).group ?? {}
    const head = { from: leader.did, to: follower.did, term }
    const index = applied + 1
    const configuration = { voters: [leader.did], learners: [], outgoing: [] }
    const data = encodeEntry({ stamp: cluster.nowMs + 1, envelope: null })
    const snapshot = { index: applied + 50, term, configuration, data: new Uint8Array(8) }
    const entries = [{ term, index, data, configuration }]
    const place = { previousIndex: applied, previousTerm: term, commit: index }
    const messages = [
      { ...head, type: 'snapshot' as const, snapshot },
      { ...head, ...place, type: 'append' as const, entries }
    ]
    for (const message of messages)
      say(cluster, follower, leader, { type: 'raft', group, message } as unknown as PeerMessage)
    assert.equal(cluster.view(follower, thread).group?.applied, applied)
    finalEverywhere(cluster, thread)
  })

  function append(
    cluster: SwarmCluster,
    thread: string,
    envelope: Uint8Array
  ): { effects: readonly Effect[]; follower: ClusterNode } {
    const { leader, follower, group } = roles(cluster, thread)
    const { applied = 0, term = 0 } = cluster.view(follower, thread).group ?? {}
    const data = encodeEntry({ stamp: cluster.nowMs, envelope })
    const message = {
      type: 'append' as const,
      from: leader.did,
      to: follower.did,
      term,
      previousIndex: applied,
      previousTerm: term,
      entries: [{ term, index: applied + 1, data }],
      commit: applied
    }
    const input = { type: 'raft' as const, group, message }
    const effects = follower.swarm.step({
      kind: 'message',
      nowMs: cluster.nowMs,
      from: leader.did,
      message: input
    })
    return { effects, follower }
  }

  it('is neither acknowledged nor let in when it does not belong into the log of the thread', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const manifest = cluster.seal(testKeys(50), cluster.manifest(), 1)
    const need = cluster.seal(testKeys(50), cluster.need(), 2)
    for (const { bytes } of [manifest, need]) {
      const { effects } = append(cluster, thread, bytes)
      assert.deepEqual(
        effects.filter(effect => effect.kind === 'admit' || effect.kind === 'send'),
        []
      )
    }
    finalEverywhere(cluster, thread)
  })

  it('is asked for once, however often the entry comes again', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    cluster.run(60)
    const draft = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), planPayload())
    const { bytes } = cluster.seal(testKeys(50), draft, 1)
    const admits = [1, 2, 3].flatMap(() =>
      append(cluster, thread, bytes).effects.filter(effect => effect.kind === 'admit')
    )
    assert.equal(admits.length, 1)
  })
})

describe('core/swarm: floods', () => {
  it('of one stranger, or of many, use up neither memory nor the log, and the job goes on', function () {
    this.timeout(30_000)
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'CLAIMED')
    const task = CID.parse(
      cluster.view(cluster.nodes[0] as ClusterNode, thread).decide?.proposal ?? ''
    )
    const loud = cluster.nodes[0] as ClusterNode
    for (let i = 0; i < 1_500; i++) {
      const draft = testDraft(cluster.nowMs, 'HEARTBEAT', CID.parse(thread), { task, progress: 1 })
      const beat = { ...draft, epoch: 0, fence: [0, 1, 1] } as typeof draft
      give(cluster, [loud], cluster.seal(testKeys(20 + (i % 40)), beat, 1_000 + i))
    }
    assert((cluster.view(loud, thread).envelopes.length ?? 0) < 1_100)
    finalEverywhere(cluster, thread)
    assert((cluster.view(loud, thread).group?.applied ?? 0) < 100)
    const count = cluster.view(loud, thread).envelopes.length
    const late = testDraft(cluster.nowMs, 'UPDATE_PLAN', CID.parse(thread), planPayload())
    give(cluster, [loud], cluster.seal(testKeys(90), late, 1))
    assert.equal(
      cluster.view(loud, thread).envelopes.length,
      count,
      'a thread that is over keeps nothing'
    )
  })

  it('of certificates that do not hold leave nothing behind', () => {
    const cluster = honest()
    const thread = stateNeed(cluster)
    until(cluster, thread, 'BIDDING')
    const { decide } = secondGroup(cluster, thread)
    const { payload } = decide.envelope
    const certificate = { ...payload.certificate, votes: payload.certificate.votes.slice(2) }
    const draft = testDraft(cluster.nowMs, 'DECIDE', CID.parse(thread), { ...payload, certificate })
    const node = cluster.nodes[2] as ClusterNode
    const before = cluster.view(node, thread).envelopes.length
    give(cluster, [node], cluster.seal(testKeys(90), { ...draft, epoch: 0 } as typeof draft, 1))
    assert.equal(cluster.view(node, thread).envelopes.length, before)
  })

  for (const [name, keyOf] of [
    ['one stranger', () => 90],
    ['many strangers', (i: number) => 110 + i]
  ] as const) {
    it(`of one certificate in envelopes of ${name} do not keep the end out`, function () {
      this.timeout(30_000)
      const cluster = honest()
      const thread = stateNeed(cluster)
      const held = (): readonly boolean[] =>
        cluster.nodes.map(node => node.swarm.view(thread)?.decide?.certified === true)
      assert(cluster.runUntil(() => held().every(Boolean), 10_000))
      const node = cluster.nodes[0] as ClusterNode
      const id = cluster.view(node, thread).envelopes.find(({ verb }) => verb === 'DECIDE')?.id
      const decide = node.swarm.envelope(thread, id ?? '') as Admitted<'DECIDE'>
      for (let i = 0; i < 70; i++) {
        const { payload } = decide.envelope
        const draft = testDraft(cluster.nowMs, 'DECIDE', CID.parse(thread), payload)
        const wrapped = { ...draft, epoch: 0 } as typeof draft
        give(cluster, cluster.nodes, cluster.seal(testKeys(keyOf(i)), wrapped, 1 + i))
      }
      const kept = cluster
        .view(node, thread)
        .envelopes.filter(({ verb }) => verb === 'DECIDE').length
      assert(kept >= 1 && kept <= 5, `${kept}`)
      finalEverywhere(cluster, thread)
    })
  }

  it('of messages that come too early stay within their bytes', () => {
    const early = new EarlyArrivals()
    const entries = [{ term: 1, index: 1, data: new Uint8Array(256 * 1024) }]
    for (let i = 0; i < 1_000; i++)
      early.holdMessage(`key ${i % 100}`, 'x', { type: 'log', group: 'g', thread: 't', entries })
    const held = Array.from({ length: 100 }, (_, i) => early.messages(`key ${i}`)).flat()
    assert(held.length > 0 && held.length <= 64)
    early.holdMessage('key', 'x', { type: 'log', group: 'g', thread: 't', entries })
    assert.equal(early.messages('key').length, 1, 'what was taken out makes room')
  })

  it('do not keep a member with many own envelopes from restarting with all of them', () => {
    const cluster = honest()
    const worker = cluster.nodes[1] as ClusterNode
    script(cluster, worker, { works: true, commits: false })
    const thread = stateNeed(cluster)
    until(cluster, thread, 'CLAIMED')
    const task = CID.parse(cluster.view(worker, thread).decide?.proposal ?? '')
    for (let i = 0; i < 100; i++) {
      const draft = testDraft(cluster.nowMs, 'HEARTBEAT', CID.parse(thread), { task, progress: 1 })
      cluster.command(worker, { type: 'publish', draft })
      cluster.run(10)
    }
    const { follower } = roles(cluster, thread)
    cluster.run(100)
    cluster.crash(follower)
    cluster.restart(follower)
    assert.equal(
      cluster.view(follower, thread).envelopes.filter(({ verb }) => verb === 'HEARTBEAT').length,
      100
    )
  })
})
