/**
 * Goal: what a member promised for one NEED outlives the tombstone of another NEED about the same slot (R11, R12, R20). Method: an equivocating requester
 * states a second NEED that soon expires, with a group of its own; when it is archived, the member is asked again, also after a restart.
 */
import { strict as assert } from 'node:assert'
import type { Admitted, Payload } from '../../../../src/core/envelope/index.ts'
import { joinBytes, rosterHash } from '../../../../src/core/roster/index.ts'
import type { PeerMessage } from '../../../../src/core/swarm/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster, testDraft } from '../../../support/swarm-cluster.ts'

const LAMPORT = 700_000

/** A group of the requester alone for another NEED about the same slot. */
function shortNeed(cluster: SwarmCluster): [Admitted<'NEED'>, Admitted<'FORM'>] {
  const { keys, did } = cluster.nodes[0] as ClusterNode
  const expiresAt = cluster.nowMs + 2_000
  const need = cluster.seal(keys, cluster.need({ solo: true, expiresAt }), LAMPORT)
  const key = { thread: need.id, slot: 'slot-1', epoch: 0 }
  const sig = keys.sign(joinBytes(key, rosterHash(key, [did])))
  const payload: Payload<'FORM'> = {
    need: need.cid,
    slot: 'slot-1',
    epoch: 0,
    seal: null,
    earlierSeals: [],
    checkpoint: null,
    tier: 'single',
    candidates: [{ did, manifest: need.cid }],
    roster: [did],
    joins: [{ member: did, sig }],
    kPlan: 1,
    kResult: 1,
    quorum: 'more-than-two-thirds',
    precisionMs: 2_000
  }
  const draft = testDraft(cluster.nowMs, 'FORM', need.cid, payload)
  return [need, cluster.seal(keys, { ...draft, epoch: 0 } as typeof draft, LAMPORT + 1)]
}

/** What a member answers when the requester asks it to seal. */
function sealOf(cluster: SwarmCluster, member: ClusterNode, thread: string): PeerMessage {
  const requester = cluster.nodes[0] as ClusterNode
  let answer: PeerMessage | undefined
  member.malice = {
    send: (_, message) => {
      if (message.type === 'sealed' || message.type === 'decline') answer = message
      return [message]
    }
  }
  const message: PeerMessage = { type: 'seal-ask', thread, epoch: 0 }
  cluster.input(member, { kind: 'message', nowMs: cluster.nowMs, from: requester.did, message })
  member.malice = null
  assert(answer !== undefined)
  return answer
}

describe('core/swarm: two NEEDs about one slot', () => {
  for (const isSealed of [true, false]) {
    it(`a member that ${isSealed ? 'sealed' : 'is locked'} says the same when the other NEED is buried`, () => {
      const settings = { lingerIncompleteMs: 5_000 }
      const cluster = new SwarmCluster({ nodes: 4, seed: 5, compacts: true, settings })
      for (const [index, node] of cluster.nodes.entries())
        script(cluster, node, { works: index === 1, verifies: index >= 2, claims: () => false })
      const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 1_000_000 })
      const member = cluster.nodes[2] as ClusterNode
      assert(cluster.runUntil(() => member.swarm.view(thread)?.decide?.certified === true, 10_000))
      const proposal = cluster.view(member, thread).decide?.proposal
      const before = isSealed ? sealOf(cluster, member, thread) : null
      const [need, form] = shortNeed(cluster)
      give(cluster, [member], need)
      give(cluster, [member], form)
      assert.notEqual(cluster.view(member, need.id).group, null)
      assert(cluster.runUntil(() => member.swarm.tombstone(need.id) !== undefined, 60_000))
      for (const isRestarted of [false, true]) {
        if (isRestarted) {
          cluster.crash(member)
          cluster.restart(member)
        }
        const after = sealOf(cluster, member, thread)
        assert(after.type === 'sealed', 'it still knows what it joined')
        assert.equal(after.proposal, proposal)
        if (before !== null) assert.deepEqual(after, before)
      }
    })
  }
})
