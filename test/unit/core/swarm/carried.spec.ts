/**
 * Goal: a bidder that says two things with one clock value keeps no group from the bid that an earlier epoch decided (R11). Method: the members hear one bid,
 * everybody else the other, which their doors then take for the only one; the next group is drawn from both.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import type { Admitted } from '../../../../src/core/envelope/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

const LAMPORT = 900
/** ms for the next group to decide: less than what its members wait before they replace a leader. */
const SOON_MS = 3_000

/** A thread with a group that knows one bid of node 1, while all outside know another of the same clock value. */
function twoTongued(seed: number): {
  readonly cluster: SwarmCluster
  readonly requester: ClusterNode
  readonly members: readonly ClusterNode[]
  readonly thread: string
  readonly bid: Admitted
} {
  const cluster = new SwarmCluster({ nodes: 8, seed })
  const [requester, worker, ...verifiers] = cluster.nodes as [ClusterNode, ...ClusterNode[]]
  for (const node of verifiers) script(cluster, node, { verifies: true })
  const slot = `slot-${seed}`
  const thread = stateNeed(cluster, { slot, expiresAt: cluster.nowMs + 300_000 })
  assert(cluster.runUntil(() => requester.swarm.view(thread)?.group != null, 10_000))
  const roster = cluster.view(requester, thread).group?.roster ?? []
  const isInside = (node: ClusterNode): boolean => node === requester || roster.includes(node.did)
  cluster.linked = (one, other) => isInside(one) === isInside(other)
  const [bid, other] = [1, 2].map(etaMs => {
    const need = CID.parse(thread)
    const ballot = { cost: 5n, etaMs, bond: 0n }
    const payload = { need, patch: [], ballot, shardDependencies: [], standing: null }
    const draft = testDraft(cluster.nowMs, 'PROPOSE', need, payload)
    return cluster.seal((worker as ClusterNode).keys, draft, LAMPORT)
  }) as [Admitted, Admitted]
  for (const node of cluster.nodes)
    if (node !== worker) cluster.admit(node, (isInside(node) ? bid : other).bytes, false)
  const members = cluster.nodes.filter(node => roster.includes(node.did))
  return { cluster, requester, members, thread, bid }
}

describe('core/swarm: a carried bid', () => {
  it('is decided again at once, whoever leads and whatever its bidder told the others', () => {
    let outsiders = 0
    for (let seed = 1; seed <= 12; seed++) {
      const { cluster, requester, members, thread, bid } = twoTongued(seed)
      const view = (): ReturnType<SwarmCluster['view']> => cluster.view(requester, thread)
      assert(cluster.runUntil(() => view().decide?.certified === true, 20_000))
      const [lost] = members.filter(node => node !== requester)
      cluster.crash(lost as ClusterNode)
      cluster.linked = () => true
      cluster.command(requester, { type: 'reform', thread })
      assert(
        cluster.runUntil(() => view().decide?.epoch === 1, SOON_MS),
        `seed ${seed}`
      )
      assert.equal(view().decide?.proposal, bid.id)
      const leader = cluster.nodes.find(({ did }) => did === view().group?.leader)
      if (leader !== undefined && !members.includes(leader)) outsiders += 1
    }
    assert(outsiders > 0, 'somebody led who had heard the other bid')
  })
})
