/**
 * Goal: a leader that leaves out what it does not like is replaced, and no result becomes FINAL over a challenge that the others hold (P3, P6). Method: the
 * leader's door passes over some verbs; the rest of the group is honest. And a member alone with what nobody else can have.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type { Draft, Verb } from '../../../../src/core/envelope/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import {
  type ClusterNode,
  OUTPUT,
  SwarmCluster,
  testDraft
} from '../../../support/swarm-cluster.ts'

type World = {
  readonly cluster: SwarmCluster
  readonly thread: string
  readonly leader: ClusterNode
  readonly followers: readonly ClusterNode[]
}

const TELEMETRY = {
  tokens: 0,
  cost: 10n,
  wallMs: 5,
  exitStatus: 0,
  tool: 'test',
  model: '',
  zone: ''
}

const SLOTS = Array.from({ length: 48 }, (_, at) => `slot-${at}`)

/** A thread whose group is node 2 to 5: node 0 stated it, node 1 works, and the first of the roster leads. */
function grouped(agents: (cluster: SwarmCluster) => void): World {
  for (const slot of SLOTS) {
    const cluster = new SwarmCluster({ nodes: 6, seed: 5 })
    agents(cluster)
    const requester = cluster.nodes[0] as ClusterNode
    const thread = stateNeed(cluster, { slot })
    assert(cluster.runUntil(() => requester.swarm.view(thread)?.group != null, 5_000))
    const roster = cluster.view(requester, thread).group?.roster ?? []
    const members = roster.map(did => cluster.nodes.find(node => node.did === did) as ClusterNode)
    const [leader, ...followers] = members
    if (leader === undefined || members.some(({ index }) => index < 2) || leader.index < 4) continue
    return { cluster, thread, leader, followers }
  }
  assert.fail('no slot draws these members')
}

/** A verifier that passes everything, one that found otherwise, and a worker. */
function disputed(cluster: SwarmCluster): void {
  const [, worker, verifier] = cluster.nodes as ClusterNode[]
  script(cluster, worker as ClusterNode, { works: true })
  script(cluster, verifier as ClusterNode, { verifies: true })
}

function leavesOut(node: ClusterNode, ...verbs: readonly Verb[]): void {
  node.malice = { ignores: ({ envelope }) => verbs.includes(envelope.verb) }
}

function untilVerified({ cluster, thread, leader, followers }: World): void {
  const isVerified = ({ swarm }: ClusterNode): boolean => swarm.view(thread)?.phase === 'VERIFIED'
  assert(cluster.runUntil(() => [leader, ...followers].every(isVerified), 10_000))
}

function challengeDraft({ cluster, thread }: World, by: ClusterNode): Draft<'CHALLENGE'> {
  const view = cluster.view(by, thread)
  return testDraft(cluster.nowMs, 'CHALLENGE', CID.parse(thread), {
    task: CID.parse(view.decide?.proposal ?? ''),
    commit: CID.parse(view.commit?.id ?? ''),
    bond: 1n,
    proof: { type: 'output_mismatch' as const, evidence: [], note: 'differs' }
  })
}

/** Node 3 challenges, and one that took no part rejects; whichever of node 4 and 5 does not lead. */
function challenge(world: World): void {
  const { cluster, thread, leader } = world
  const [challenger] = cluster.nodes.slice(3)
  const judge = cluster.nodes.slice(4).find(node => node !== leader)
  assert(challenger !== undefined && judge !== undefined)
  cluster.command(challenger, { type: 'publish', draft: challengeDraft(world, challenger) })
  cluster.run(60)
  cluster.command(judge, {
    type: 'verdict',
    thread,
    commit: cluster.view(judge, thread).commit?.id ?? '',
    pass: false,
    evaluation: new Uint8Array(32),
    reasons: ['looked again']
  })
}

function endsOf({ cluster, thread }: World, msMax: number): Set<string> {
  const phases = (): string[] =>
    cluster.nodes.map(({ swarm }) => swarm.view(thread)?.phase ?? 'none')
  const ends = ['FINAL', 'INVALID', 'EXPIRED']
  cluster.runUntil(() => phases().every(phase => ends.includes(phase)), msMax)
  return new Set(phases())
}

describe('core/swarm: a leader that leaves things out', () => {
  for (const verbs of [[], ['CHALLENGE'], ['REJECT'], ['CHALLENGE', 'REJECT']] as const)
    it(`makes no result FINAL by leaving out ${verbs.join(' and ') || 'nothing'}`, () => {
      const world = grouped(disputed)
      leavesOut(world.leader, ...verbs)
      untilVerified(world)
      challenge(world)
      assert.deepEqual(endsOf(world, 20_000), new Set(['INVALID']))
    })

  it('is replaced by one that logs all challenges in time, not just the first', () => {
    const world = grouped(disputed)
    const { cluster, thread, followers, leader } = world
    leavesOut(leader, 'CHALLENGE')
    untilVerified(world)
    const [requester] = cluster.nodes as [ClusterNode]
    const draft = challengeDraft(world, requester)
    cluster.command(requester, { type: 'publish', draft })
    challenge(world)
    assert.deepEqual(endsOf(world, 20_000), new Set(['INVALID']))
    assert.equal(cluster.view(followers[0] as ClusterNode, thread).challenges.length, 2)
  })

  it('is replaced when it leaves out COMMIT', () => {
    const world = grouped(disputed)
    leavesOut(world.leader, 'COMMIT')
    assert.deepEqual(endsOf(world, 20_000), new Set(['FINAL']))
    const { cluster, thread, followers, leader } = world
    const { group } = cluster.view(followers[0] as ClusterNode, thread)
    assert(group !== null && group.leader !== leader.did && group.term > 1)
  })

  it('is replaced when it leaves out CLAIM', () => {
    const world = grouped(disputed)
    leavesOut(world.leader, 'CLAIM')
    assert.deepEqual(endsOf(world, 20_000), new Set(['FINAL']))
  })

  it('is not what a member alone with a CHALLENGE makes of the others for long', () => {
    const world = grouped(disputed)
    const { cluster, followers, thread } = world
    untilVerified(world)
    const [alone, ...others] = followers as [ClusterNode, ...ClusterNode[]]
    const requester = cluster.nodes[0] as ClusterNode
    const draft = { ...challengeDraft(world, requester), epoch: 0 }
    const admitted = cluster.seal(requester.keys, draft, 5_000)
    for (const node of cluster.nodes)
      if (node !== alone) node.malice = { ignores: ({ id }) => id === admitted.id }
    cluster.admit(alone, admitted.bytes, false)
    assert.deepEqual(endsOf(world, 20_000), new Set(['FINAL']))
    assert.equal(cluster.view(alone, thread).warnings.length, 1)
    for (const other of others) assert.deepEqual(cluster.view(other, thread).warnings, [])
  })

  it('is not taken for one that is slow', () => {
    const world = grouped(disputed)
    const { cluster, thread, leader, followers } = world
    leader.fsyncMs = 200
    assert.equal(endsOf(world, 60_000).size, 1)
    for (const follower of followers) assert.deepEqual(cluster.view(follower, thread).warnings, [])
  })

  it('does not keep a requester for ever from forming another group, with a COMMIT that no leader logs', () => {
    const world = grouped(cluster => {
      script(cluster, cluster.nodes[1] as ClusterNode, { works: true, commits: false })
      script(cluster, cluster.nodes[2] as ClusterNode, { verifies: true })
    })
    const { cluster, thread, followers } = world
    const [requester, worker] = cluster.nodes as [ClusterNode, ClusterNode]
    const isClaimed = ({ swarm }: ClusterNode): boolean => swarm.view(thread)?.lease != null
    assert(cluster.runUntil(() => [requester, worker].every(isClaimed), 10_000))
    for (const follower of followers.slice(0, 2)) cluster.crash(follower)
    const { decide } = cluster.view(worker, thread)
    const draft = testDraft(cluster.nowMs, 'COMMIT', CID.parse(thread), {
      task: CID.parse(decide?.proposal ?? ''),
      outputs: [OUTPUT],
      verifyBounty: 10n,
      telemetry: TELEMETRY
    })
    cluster.command(worker, { type: 'publish', draft })
    cluster.run(1_000)
    const reform = (): unknown => {
      const id = cluster.command(requester, { type: 'reform', thread })
      return (requester.replies.get(id) as { refusal?: { code: string } }).refusal?.code
    }
    assert.equal(reform(), 'RESULT_KNOWN')
    cluster.run(10_000)
    assert.equal(reform(), undefined)
  })
})
