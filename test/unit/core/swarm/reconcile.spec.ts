/**
 * Goal: what an epoch that was left had in it is told once, the same way to all, and good results are not lost (RUN-13..15). Method: virtual worlds whose requester
 * opens a new epoch while others bid, or while it is cut off from them; what each node shows is looked at.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type { Draft, Payload } from '../../../../src/core/envelope/index.ts'
import { verdictSeal } from '../../../../src/core/need/index.ts'
import type { ThreadView } from '../../../../src/core/swarm/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import {
  type ClusterNode,
  OUTPUT,
  SwarmCluster,
  testDraft,
  testKeys
} from '../../../support/swarm-cluster.ts'

type World = {
  readonly cluster: SwarmCluster
  readonly requester: ClusterNode
  readonly thread: string
}

/** A NEED of node 0 with patient windows; the given nodes work, node 2 and those after it verify. */
function world(works: readonly number[], windows: Partial<Payload<'NEED'>['windows']>): World {
  const cluster = new SwarmCluster({ nodes: 7, seed: 7 })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: works.includes(index), verifies: index >= 2 })
  const need = cluster.need().payload
  const thread = stateNeed(cluster, {
    expiresAt: cluster.nowMs + 300_000,
    windows: { ...need.windows, ...windows }
  })
  return { cluster, thread, requester: cluster.nodes[0] as ClusterNode }
}

function reaches({ cluster, thread }: World, condition: () => boolean): void {
  const states = (): string =>
    cluster.nodes
      .map(node => {
        const view = node.swarm.view(thread)
        return `${node.index} ${view?.epoch} ${view?.phase} ${view?.reason} ${view?.warnings}`
      })
      .join('\n')
  assert(cluster.runUntil(condition, 120_000), `${condition}\n${states()}`)
}

function views({ cluster, thread }: World): ThreadView[] {
  return cluster.nodes.flatMap(node => node.swarm.view(thread) ?? [])
}

function reform(given: World): void {
  const { cluster, requester, thread } = given
  reaches(given, () => cluster.view(requester, thread).group !== null)
  const id = cluster.command(requester, { type: 'reform', thread })
  const reply = requester.replies.get(id) as { ok: boolean }
  assert.ok(reply.ok, JSON.stringify(reply))
}

/** A COMMIT of epoch 0 under a lease that the last group knows nothing of. */
function commitOf({ cluster, thread }: World, task: string): Draft<'COMMIT'> {
  const telemetry = { tokens: 0, cost: 1n, wallMs: 1, exitStatus: 0, tool: '', model: '', zone: '' }
  const draft = testDraft(cluster.nowMs, 'COMMIT', CID.parse(thread), {
    task: CID.parse(task),
    outputs: [OUTPUT],
    verifyBounty: 1n,
    telemetry
  })
  return { ...draft, epoch: 0, fence: [0, 1, 1] }
}

/** A bid that is too dear to win. */
function bidOf({ cluster, thread }: World): Draft<'PROPOSE'> {
  const need = CID.parse(thread)
  return testDraft(cluster.nowMs, 'PROPOSE', need, {
    need,
    patch: [],
    ballot: { cost: 90n, etaMs: 1_000, bond: 0n },
    shardDependencies: [],
    standing: null
  })
}

/** A sealed verdict that passes, and what opens it. */
function verdictOf(
  { cluster, thread }: World,
  about: { readonly commit: string; readonly task: string; readonly verifier: string }
): Draft<'ATTEST'>[] {
  const { commit, verifier } = about
  const evaluation = new Uint8Array(32)
  const salt = new Uint8Array(32).fill(7)
  const seal = verdictSeal({ commit, verifier, pass: true, evaluation, salt })
  return [
    { seal, salt: null, evaluation: null },
    { seal: null, salt, evaluation }
  ].map(shown =>
    testDraft(cluster.nowMs, 'ATTEST', CID.parse(thread), {
      task: CID.parse(about.task),
      commit: CID.parse(commit),
      ...shown,
      challenge: null,
      reasons: [],
      standing: null
    })
  )
}

/** Every node has seen the end. */
function ends(given: World): void {
  reaches(given, () => views(given).every(({ finalize }) => finalize !== null))
  for (const { phase, reason } of views(given)) assert.equal(phase, 'FINAL', reason)
}

describe('core/swarm: reconcile', () => {
  it('tells once which proposals of an epoch that was left have lost', () => {
    const given = world([1, 3, 5], { bidMs: 8_000 })
    reaches(given, () => views(given).every(({ proposals }) => proposals.length === 3))
    reform(given)
    ends(given)
    for (const { proposals, decide, epoch, reconciles } of views(given)) {
      const lost = proposals.map(({ id }) => id).filter(id => id !== decide?.proposal)
      assert.equal(epoch, 1)
      assert.equal(reconciles.length, 1)
      const [told] = reconciles
      assert.equal(told?.sender, decide?.worker)
      assert.deepEqual(told?.orphaned, lost.sort())
      assert.deepEqual(told?.salvaged, [])
      assert.ok(told?.merged.includes(decide?.proposal ?? ''), 'the branch that stands')
      assert.ok(!lost.some(id => told?.merged.includes(id)))
    }
  })

  it('tells nothing while no epoch was left, or nothing was lost', () => {
    const calm = world([1, 3, 5], {})
    ends(calm)
    for (const { proposals, reconciles } of views(calm))
      assert.deepEqual([proposals.length, reconciles.length], [3, 0])
    const alone = world([1], { bidMs: 8_000 })
    reaches(alone, () => views(alone).every(({ proposals }) => proposals.length === 1))
    reform(alone)
    ends(alone)
    for (const { epoch, reconciles } of views(alone))
      assert.deepEqual([epoch, reconciles.length], [1, 0])
  })

  it('salvages a result of an epoch that was left once enough verifiers have found it right', () => {
    const given = world([1, 3, 5], { bidMs: 8_000 })
    const { cluster, requester, thread } = given
    reaches(given, () => views(given).every(({ proposals }) => proposals.length === 3))
    reaches(given, () => cluster.view(requester, thread).group !== null)
    const bids = cluster.view(requester, thread).proposals
    const [winner, loser] = [1, 3].map(index => cluster.nodes[index] as ClusterNode)
    const bid = bids.find(({ worker }) => worker === loser?.did)
    assert.ok(winner && loser && bid)
    // What only the later winner has heard of, of a group that would have decided otherwise.
    const commit = cluster.seal(loser.keys, commitOf(given, bid.id), 900)
    give(cluster, [winner], commit)
    for (const index of [2, 4, 6]) {
      const { keys } = cluster.nodes[index] as ClusterNode
      for (const said of verdictOf(given, { commit: commit.id, task: bid.id, verifier: keys.did }))
        give(
          cluster,
          [winner],
          cluster.seal(keys, said, 901 + (said.payload.seal === null ? 1 : 0))
        )
    }
    reform(given)
    ends(given)
    for (const { decide, epoch, reconciles } of views(given)) {
      assert.deepEqual([epoch, decide?.worker, reconciles.length], [1, winner.did, 1])
      const others = bids.map(({ id }) => id).filter(id => id !== decide?.proposal)
      assert.deepEqual(reconciles[0]?.orphaned, [...others, commit.id].sort())
      assert.deepEqual(reconciles[0]?.salvaged, [OUTPUT.toString()])
    }
  })

  it('names a COMMIT that was lost whatever crowd of bids was lost with it', () => {
    const given = world([1, 3, 5], { bidMs: 8_000 })
    const { cluster, requester, thread } = given
    reaches(given, () => views(given).every(({ proposals }) => proposals.length === 3))
    reaches(given, () => cluster.view(requester, thread).group !== null)
    const [winner, loser] = [1, 3].map(index => cluster.nodes[index] as ClusterNode)
    const own = cluster
      .view(requester, thread)
      .proposals.find(({ worker }) => worker === loser?.did)
    assert.ok(winner && loser && own)
    const bids = Array.from({ length: 140 }, (_, at) =>
      cluster.seal(testKeys(1_000 + at), bidOf(given), 800)
    )
    for (const bid of bids) give(cluster, [winner], bid)
    // By its text it comes after more of them than a list has room for.
    const commits = Array.from({ length: 200 }, (_, at) =>
      cluster.seal(loser.keys, commitOf(given, own.id), 900 + at)
    )
    const commit = commits.reduce((last, one) => (one.id > last.id ? one : last))
    assert.ok(bids.filter(({ id }) => id < commit.id).length >= 128)
    give(cluster, [winner], commit)
    reform(given)
    reaches(given, () => views(given).every(({ reconciles }) => reconciles.length > 0))
    const orphaned = cluster.view(winner, thread).reconciles[0]?.orphaned ?? []
    assert.equal(orphaned.length, 128)
    assert.ok(orphaned.includes(commit.id))
  })

  it('tells again what comes to light when a partition has healed, and salvages it', () => {
    const given = world([1, 3, 5], { bidMs: 8_000, verifyMs: 60_000, sealMs: 60_000 })
    const { cluster, requester, thread } = given
    reaches(given, () => views(given).every(({ proposals }) => proposals.length === 3))
    reaches(given, () => cluster.view(requester, thread).group !== null)
    const cut = cluster.nodes[3] as ClusterNode
    const others = cluster.nodes.filter(node => node !== cut)
    const bid = cluster.view(requester, thread).proposals.find(({ worker }) => worker === cut.did)
    assert.ok(bid)
    cluster.linked = (from, to) => from !== cut && to !== cut
    for (const node of others) cluster.disconnect(node, cut)
    for (const node of others) cluster.disconnect(cut, node)
    // What only the one that is cut off has heard of.
    const commit = cluster.seal(cut.keys, commitOf(given, bid.id), 900)
    give(cluster, [cut], commit)
    for (const { keys } of [2, 4, 6].map(index => cluster.nodes[index] as ClusterNode))
      for (const said of verdictOf(given, {
        commit: commit.id,
        task: bid.id,
        verifier: keys.did
      })) {
        const lamport = 901 + (said.payload.seal === null ? 1 : 0)
        give(cluster, [cut], cluster.seal(keys, { ...said, epoch: 0 }, lamport))
      }
    reform(given)
    const told = (): readonly ThreadView['reconciles'][number][] =>
      cluster.view(requester, thread).reconciles
    reaches(given, () => told().length === 1)
    assert.ok(!told()[0]?.orphaned.includes(commit.id))
    cluster.linked = () => true
    for (const node of others) cluster.connect(node, cut)
    for (const node of others) cluster.connect(cut, node)
    reaches(given, () => told().length === 2)
    ends(given)
    for (const { reconciles } of views(given)) {
      assert.ok(reconciles[1]?.orphaned.includes(commit.id))
      assert.deepEqual(reconciles[1]?.salvaged, [OUTPUT.toString()])
    }
  })

  it('is told after a restart by a worker that had not come to it, and not told again by one that had', () => {
    const given = world([1, 3, 5], { bidMs: 8_000 })
    const { cluster, thread } = given
    reaches(given, () => views(given).every(({ proposals }) => proposals.length === 3))
    reform(given)
    reaches(given, () => views(given).every(({ reconciles }) => reconciles.length === 1))
    const worker = cluster.nodes.find(
      ({ did, swarm }) => swarm.view(thread)?.decide?.worker === did
    ) as ClusterNode
    cluster.crash(worker)
    cluster.run(200)
    cluster.restart(worker)
    ends(given)
    for (const { reconciles } of views(given)) assert.equal(reconciles.length, 1)
  })
})
