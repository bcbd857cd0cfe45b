/**
 * Goal: an invalid result that is challenged is invalidated, a valid one survives noise (P3). Method: one verifier passes the result; another
 * node challenges; verifiers who took no part before judge the dispute.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

type World = { cluster: SwarmCluster; thread: string; challenger: ClusterNode; judge: ClusterNode }

/** Slots, hence draws. With one in five the draw leaves out only nodes that take part anyway, so that all hear of each entry as it commits. */
const SLOTS = Array.from({ length: 48 }, (_, at) => `slot-${at}`)

/** A thread in its challenge window at every node: node 1 worked, node 2 passed it. */
function verified(): World {
  for (const slot of SLOTS) {
    const world = worked(slot)
    if (world !== null) return world
  }
  assert.fail('with no slot all hear of it in time')
}

function worked(slot: string): World | null {
  const cluster = new SwarmCluster({ nodes: 6, seed: 5 })
  const [requester, worker, verifier, idle, challenger, judge] = cluster.nodes as [
    ClusterNode,
    ClusterNode,
    ClusterNode,
    ClusterNode,
    ClusterNode,
    ClusterNode
  ]
  script(cluster, worker, { works: true })
  script(cluster, verifier, { verifies: true })
  const id = cluster.command(requester, { type: 'state-need', draft: cluster.need({ slot }) })
  cluster.run(1)
  const thread = (requester.replies.get(id) as { value: { envelope: string } }).value.envelope
  assert(cluster.runUntil(() => requester.swarm.view(thread)?.group != null, 5_000))
  const roster = cluster.view(requester, thread).group?.roster ?? []
  if (![idle, challenger, judge].every(({ did }) => roster.includes(did))) return null
  const isVerified = (): boolean =>
    cluster.nodes.every(node => node.swarm.view(thread)?.phase === 'VERIFIED')
  if (!cluster.runUntil(isVerified, 10_000)) return null
  return { cluster, thread, challenger, judge }
}

function challenge({ cluster, thread, challenger }: World): unknown {
  const view = cluster.view(challenger, thread)
  const commit = CID.parse(view.commit?.id ?? '')
  const payload = {
    task: CID.parse(view.decide?.proposal ?? ''),
    commit,
    bond: 1n,
    proof: { type: 'output_mismatch' as const, evidence: [], note: 'differs' }
  }
  const id = cluster.command(challenger, {
    type: 'publish',
    draft: testDraft(cluster.nowMs, 'CHALLENGE', CID.parse(thread), payload)
  })
  cluster.run(60)
  return challenger.replies.get(id)
}

function judgeDispute({ cluster, thread, judge }: World, pass: boolean): void {
  const commit = cluster.view(judge, thread).commit?.id ?? ''
  cluster.command(judge, {
    type: 'verdict',
    thread,
    commit,
    pass,
    evaluation: new Uint8Array(32),
    reasons: ['looked again']
  })
}

function endOf({ cluster, thread }: World): {
  phase: string
  reason: string
  payouts: readonly { to: string; amount: string; why: string }[]
} {
  assert(
    cluster.runUntil(
      () => cluster.nodes.every(node => node.swarm.record(thread)?.complete === true),
      20_000
    )
  )
  const views = cluster.nodes.map(node => cluster.view(node, thread))
  assert.equal(new Set(views.map(view => view.phase)).size, 1)
  const view = views[0] as (typeof views)[0]
  return { phase: view.phase, reason: view.reason, payouts: view.finalize?.payouts ?? [] }
}

describe('core/swarm: challenges', () => {
  it('invalidates a challenged result that fresh verifiers reject, and pays neither worker nor its attester', () => {
    const world = verified()
    assert.deepEqual((challenge(world) as { ok: boolean }).ok, true)
    judgeDispute(world, false)
    const end = endOf(world)
    assert.equal(end.phase, 'INVALID')
    assert.match(end.reason, /upheld challenge: output_mismatch/u)
    assert.deepEqual(
      end.payouts.map(payout => payout.why),
      ['refund']
    )
  })

  it('finalizes a challenged result that fresh verifiers pass', () => {
    const world = verified()
    challenge(world)
    judgeDispute(world, true)
    assert.equal(endOf(world).phase, 'FINAL')
  })

  it('finalizes when nobody supports the challenge', () => {
    const world = verified()
    challenge(world)
    assert.equal(endOf(world).phase, 'FINAL')
  })

  it('lets neither the first verifier nor the challenger judge the dispute', () => {
    const world = verified()
    challenge(world)
    judgeDispute({ ...world, judge: world.challenger }, false)
    assert.equal(endOf(world).phase, 'FINAL')
  })

  it('refuses a challenge outside the window', () => {
    const world = verified()
    endOf(world)
    assert.equal((challenge(world) as { refusal: { code: string } }).refusal.code, 'THREAD_ENDED')
  })
})
