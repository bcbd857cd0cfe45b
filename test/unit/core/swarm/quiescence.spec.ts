/**
 * Goal: an open group with nothing to do costs nothing, and is there when its time comes, an envelope comes, or its leader has died. Method: virtual worlds whose
 * witness counts what is sent, and the machines' own counts of threads that want ticks.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import { signaturesOf } from '../../../../src/simulator/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

const MINUTE_MS = 60_000
const BID_MS = 10 * MINUTE_MS

type Scene = { readonly cluster: SwarmCluster; sent: number; readonly requester: ClusterNode }

/** As many groups as asked for, each with a proposal that is decided when the bid window ends. */
function scene(init: { readonly nodes: number; readonly groups: number }): Scene {
  const counts = { sent: 0 }
  const cluster = new SwarmCluster({
    nodes: init.nodes,
    seed: 3,
    signatures: signaturesOf('fast'),
    // Members that are away are replaced by their own group here, not by a new one.
    settings: { awayMs: 10 * BID_MS },
    witness: { sent: () => void counts.sent++ }
  })
  const [requester] = cluster.nodes as [ClusterNode]
  for (let group = 0; group < init.groups; group++) {
    const need = cluster.need({
      slot: `slot-${group}`,
      windows: { ...cluster.need().payload.windows, bidMs: BID_MS },
      expiresAt: cluster.nowMs + 3 * BID_MS
    })
    const asks = cluster.nodes[group % init.nodes] as ClusterNode
    cluster.command(asks, {
      type: 'state-need',
      draft: { ...need, notAfter: need.payload.expiresAt }
    })
    // Slower than a sender may be for long: every door holds NEED and FORM against it.
    if (group % 50 === 49) cluster.run(1_000)
  }
  return Object.assign(counts, { cluster, requester })
}

function sleeps({ cluster }: Scene): boolean {
  return cluster.nodes.every(node => !node.alive || node.swarm.load().active === 0)
}

describe('core/swarm: quiescence', () => {
  it('has 1,000 open groups at four members send nothing and want no ticks for minutes, and decides each at its window', function () {
    this.timeout(120_000)
    const world = scene({ nodes: 4, groups: 1000 })
    const { cluster, requester } = world
    cluster.run(5_000)
    for (const id of requester.swarm.threadIds()) propose(cluster, id)
    // Until the doors take as much of every sender at once again.
    cluster.run(5_000)
    for (const id of requester.swarm.threadIds()) attest(cluster, id)
    cluster.run(5_000)
    assert.equal(logged(cluster), 1000)
    assert(sleeps(world))
    const before = world.sent
    cluster.run(5 * MINUTE_MS)
    assert(sleeps(world))
    assert.equal(world.sent, before)
    assert.equal(requester.swarm.load().waiting, 1000)
    cluster.run(BID_MS)
    const decided = requester.swarm
      .threadIds()
      .filter(id => cluster.view(requester, id).decide?.certified)
    assert.equal(decided.length, 1000)
    assert(sleeps(world))
  })

  it('is compared now and then by those outside it, never with the same peer twice in a row', () => {
    const asked = new Map<string, string[]>()
    const cluster = new SwarmCluster({
      nodes: 6,
      seed: 5,
      signatures: signaturesOf('fast'),
      witness: {
        sent: (from, to, { type }) => {
          if (type === 'pull') asked.set(from.did, [...(asked.get(from.did) ?? []), to.did])
        }
      }
    })
    const windows = { ...cluster.need().payload.windows, bidMs: BID_MS }
    const need = cluster.need({ windows, expiresAt: cluster.nowMs + 3 * BID_MS })
    const [requester] = cluster.nodes as [ClusterNode]
    const draft = { ...need, notAfter: need.payload.expiresAt }
    cluster.command(requester, { type: 'state-need', draft })
    cluster.run(BID_MS - MINUTE_MS)
    const lists = [...asked.values()].filter(peers => peers.length >= 5)
    assert(lists.length >= 2, 'two nodes are outside the group')
    for (const peers of lists)
      for (const [i, peer] of peers.entries()) assert.notEqual(peer, peers[i - 1])
  })

  it('wakes with an envelope, which gets into the log though it reached one member only', () => {
    const world = scene({ nodes: 5, groups: 1 })
    const { cluster, requester } = world
    cluster.run(10_000)
    assert(sleeps(world))
    const thread = requester.swarm.threadIds()[0] as string
    const leader = cluster.view(requester, thread).group?.leader
    const members = cluster.view(requester, thread).group?.roster ?? []
    const teller = cluster.nodes.find(
      node => members.includes(node.did) && node.did !== leader && node !== requester
    )
    cluster.gossips = false
    script(cluster, teller as ClusterNode, { works: true })
    teller?.agent?.(teller, { type: 'thread', thread, phase: 'BIDDING', atMs: cluster.nowMs })
    assert(
      cluster.runUntil(() => cluster.view(requester, thread).proposals[0]?.logged === true, 5_000)
    )
    cluster.run(5_000)
    assert(sleeps(world))
  })

  it('brings an envelope of a node outside the roster to the group without gossip', () => {
    const world = scene({ nodes: 5, groups: 1 })
    const { cluster, requester } = world
    cluster.run(10_000)
    const thread = requester.swarm.threadIds()[0] as string
    const { roster } = cluster.view(requester, thread).group as { roster: readonly string[] }
    const outsider = cluster.nodes.find(node => !roster.includes(node.did)) as ClusterNode
    cluster.gossips = false
    script(cluster, outsider, { works: true })
    outsider.agent?.(outsider, { type: 'thread', thread, phase: 'BIDDING', atMs: cluster.nowMs })
    assert(
      cluster.runUntil(() => cluster.view(requester, thread).proposals[0]?.logged === true, 5_000)
    )
  })

  it('replaces a leader that died in its sleep when the deadline comes, and still decides', () => {
    const world = scene({ nodes: 5, groups: 1 })
    const { cluster, requester } = world
    for (const [index, node] of cluster.nodes.entries())
      script(cluster, node, { works: index === 1, verifies: index >= 2 })
    assert(cluster.runUntil(() => logged(cluster) === 1, 10_000))
    cluster.run(10_000)
    assert(sleeps(world))
    const thread = requester.swarm.threadIds()[0] as string
    const leader = cluster.nodes.find(
      node => node.did === cluster.view(requester, thread).group?.leader
    ) as ClusterNode
    cluster.crash(leader)
    const witness = cluster.nodes.find(node => node.alive) as ClusterNode
    cluster.run(BID_MS - 2 * MINUTE_MS)
    assert.equal(cluster.view(witness, thread).decide, null)
    cluster.run(2 * MINUTE_MS)
    assert.equal(cluster.view(witness, thread).decide?.certified, true)
  })

  it('asks its peers less and less often for a thread that does not change, outside the roster', () => {
    const world = scene({ nodes: 5, groups: 1 })
    const { cluster } = world
    cluster.run(10_000)
    const before = world.sent
    cluster.run(9 * MINUTE_MS)
    assert(world.sent - before < 16, `${world.sent - before} messages`)
  })
})

/** The node that is so many places after the requester of a thread. */
function after(cluster: SwarmCluster, id: string, offset: number): ClusterNode {
  const [first] = cluster.nodes as [ClusterNode]
  const need = first.swarm.envelope(id, id)?.envelope
  const asks = cluster.nodes.findIndex(node => node.did === need?.sender)
  return cluster.nodes[(asks + offset) % cluster.nodes.length] as ClusterNode
}

function propose(cluster: SwarmCluster, id: string): void {
  const need = CID.parse(id)
  const ballot = { cost: 10n, etaMs: 1_000, bond: 0n }
  const bid = { need, patch: [], ballot, shardDependencies: [], standing: null }
  cluster.command(after(cluster, id, 1), {
    type: 'publish',
    draft: testDraft(cluster.nowMs, 'PROPOSE', need, bid)
  })
}

function attest(cluster: SwarmCluster, id: string): void {
  const need = CID.parse(id)
  const verifier = after(cluster, id, 2)
  const proposal = CID.parse(cluster.view(verifier, id).proposals[0]?.id as string)
  const plan = { need, proposal, evaluation: new Uint8Array(32), standing: null }
  cluster.command(verifier, {
    type: 'publish',
    draft: testDraft(cluster.nowMs, 'ATTEST_PLAN', need, plan)
  })
}

/** Threads whose proposal has its ATTEST_PLAN in the log, as the requester sees it. */
function logged(cluster: SwarmCluster): number {
  const [requester] = cluster.nodes as [ClusterNode]
  return requester.swarm
    .threadIds()
    .filter(id => (cluster.view(requester, id).proposals[0]?.attestations.length ?? 0) > 0).length
}
