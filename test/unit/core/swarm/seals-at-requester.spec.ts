/**
 * Goal: what the requester makes of the SEALs that come: a liar's word alone binds no group (R11). Method: single SEALs told to the requester of a decided
 * thread of the virtual world, in any order, and what the next group's FORM shows.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import { rosterHash, sealBytes } from '../../../../src/core/roster/index.ts'
import type { PeerMessage } from '../../../../src/core/swarm/index.ts'
import { ask, decided, type SealedWorld, tell } from '../../../support/sealed-world.ts'
import { give } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, OUTPUT, testDraft, testKeys } from '../../../support/swarm-cluster.ts'

describe('core/swarm: seals at the requester', () => {
  type Sealed = Extract<PeerMessage, { type: 'sealed' }>

  /** SEALs of this thread's first epoch that show what they are told to. */
  function sealOf(given: SealedWorld, member: ClusterNode, shown: Sealed['proposal']): Sealed {
    const { cluster, requester, thread } = given
    const key = { thread, slot: 'slot-1', epoch: 0 }
    const roster = rosterHash(key, cluster.view(requester, thread).group?.roster ?? [])
    const digest = shown === null ? null : new Uint8Array(32).fill(7)
    const sig = member.keys.sign(sealBytes({ ...key, roster, digest, proposal: shown }))
    return { type: 'sealed', thread, epoch: 0, roster, digest, proposal: shown, sig }
  }

  function silence(given: SealedWorld): void {
    const { cluster, requester } = given
    cluster.linked = (from, to) => from === requester || to !== requester
    const id = cluster.command(requester, { type: 'reform', thread: given.thread })
    assert((requester.replies.get(id) as { ok: boolean }).ok)
  }

  /** What the seals show on which the requester's last choice rests. */
  function shownIn({ requester }: SealedWorld): ReadonlySet<string | null> {
    const chosen = requester.disk.findLast(record => record.type === 'chosen')
    assert(chosen?.type === 'chosen')
    return new Set(chosen.seals.flatMap(({ seals }) => seals.map(({ proposal }) => proposal)))
  }

  /** A PROPOSE that everybody has and nobody attests. */
  function bidBy({ cluster, thread }: SealedWorld, worker: ClusterNode): string {
    const need = CID.parse(thread)
    const bid = cluster.seal(
      worker.keys,
      testDraft(cluster.nowMs, 'PROPOSE', need, {
        need,
        patch: [],
        ballot: { cost: 10n, etaMs: 100, bond: 0n },
        shardDependencies: [],
        standing: null
      }),
      700_000
    )
    give(cluster, cluster.nodes, bid)
    return bid.id
  }

  /** One member says that it shows this, the others that they show nothing: the next group is free. */
  function isNotBound(given: SealedWorld, shown: string): void {
    const { cluster, requester, members, thread } = given
    silence(given)
    const [liar, ...honest] = members as [ClusterNode, ...ClusterNode[]]
    liar.malice = { send: (_, message) => (message.type === 'sealed' ? [] : [message]) }
    tell(cluster, requester, liar.did, sealOf(given, liar, shown))
    for (const member of honest) {
      cluster.run(100)
      tell(cluster, requester, member.did, sealOf(given, member, null))
    }
    cluster.linked = () => true
    assert(cluster.runUntil(() => cluster.view(requester, thread).epoch === 1, 10_000))
    assert.deepEqual(shownIn(given), new Set([null]))
  }

  function chosenEpoch({ requester }: SealedWorld): number {
    return requester.disk.filter(record => record.type === 'chosen').length - 1
  }

  it('that show two decisions end the thread: no group can be bound to both', () => {
    const given = decided()
    const { cluster, requester, members, thread } = given
    silence(given)
    const lies = [String(OUTPUT), String(CID.parse(thread)), thread, String(OUTPUT)]
    for (const [index, member] of members.entries())
      tell(cluster, requester, member.did, sealOf(given, member, lies[index] as string))
    cluster.run(5_000)
    assert.equal(chosenEpoch(given), 0)
    assert.match(cluster.view(requester, thread).reason, /different decisions/u)
    assert(cluster.runUntil(() => cluster.view(requester, thread).phase === 'EXPIRED', 90_000))
  })

  it('are left out when one member shows what the others do not', () => {
    const given = decided()
    const { cluster, requester, members, thread } = given
    const truth = cluster.view(requester, thread).decide?.proposal as string
    silence(given)
    const [liar, ...honest] = members as [ClusterNode, ...ClusterNode[]]
    tell(cluster, requester, liar.did, sealOf(given, liar, String(OUTPUT)))
    cluster.linked = () => true
    for (const member of honest)
      cluster.input(member, {
        kind: 'message',
        nowMs: cluster.nowMs,
        from: requester.did,
        message: ask(thread)
      })
    assert(cluster.runUntil(() => cluster.view(requester, thread).epoch === 1, 20_000))
    assert(
      cluster.runUntil(() => cluster.view(requester, thread).decide?.certified === true, 20_000)
    )
    assert.equal(cluster.view(requester, thread).decide?.proposal, truth)
  })

  for (const [name, lie] of [
    ['a proposal that nobody has', String(OUTPUT)],
    ['what no FORM can hold', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG']
  ] as const) {
    it(`of one member that show ${name} do not bind the next group, however fast it answers`, () => {
      isNotBound(decided({ works: false }), lie)
    })
  }

  it('of one member that show a bid which really was made wait for the others, and do not bind the next group when those show nothing', () => {
    const given = decided({ works: false })
    isNotBound(given, bidBy(given, given.cluster.nodes[1] as ClusterNode))
  })

  it('of one member that show a bid are believed when the others stay away: it may have been decided', () => {
    const given = decided({ works: false })
    const { cluster, requester, members, thread } = given
    const bid = bidBy(given, cluster.nodes[1] as ClusterNode)
    silence(given)
    const [one, two] = members as [ClusterNode, ClusterNode]
    tell(cluster, requester, one.did, sealOf(given, one, bid))
    tell(cluster, requester, two.did, sealOf(given, two, null))
    cluster.run(2_000)
    assert.equal(chosenEpoch(given), 0)
    cluster.linked = (from, to) => [from, to].every(node => node !== members[2])
    assert(cluster.runUntil(() => cluster.view(requester, thread).epoch === 1, 20_000))
    assert.deepEqual(shownIn(given), new Set([null, bid]))
  })

  /** One member's word binds the next group, whose members cannot answer yet; the member that has not said anything. */
  function believesOne(given: SealedWorld): ClusterNode {
    const { cluster, requester, members, thread } = given
    const bid = bidBy(given, cluster.nodes[1] as ClusterNode)
    silence(given)
    const [one, two, late] = members as [ClusterNode, ClusterNode, ClusterNode]
    tell(cluster, requester, one.did, sealOf(given, one, bid))
    tell(cluster, requester, two.did, sealOf(given, two, null))
    const reason = (): string => cluster.view(requester, thread).reason
    assert(cluster.runUntil(() => !reason().includes('different decisions'), 20_000))
    cluster.run(1_000)
    assert.equal(chosenEpoch(given), 0)
    return late
  }

  function showNothing(given: SealedWorld): void {
    const { cluster, requester, thread } = given
    cluster.linked = () => true
    assert(cluster.runUntil(() => cluster.view(requester, thread).epoch === 1, 20_000))
    assert.deepEqual(shownIn(given), new Set([null]))
  }

  it('of one member that show a bid are not believed any more when another answers before the next group is chosen', () => {
    const given = decided({ works: false })
    const late = believesOne(given)
    tell(given.cluster, given.requester, late.did, sealOf(given, late, null))
    for (const member of given.members)
      member.malice = { send: (_, message) => (message.type === 'sealed' ? [] : [message]) }
    showNothing(given)
  })

  it('of one member that show a bid are doubted until then: who has not answered is asked again', () => {
    const given = decided({ works: false })
    const { cluster, requester } = given
    const late = believesOne(given)
    cluster.linked = (from, to) => [from, to].every(node => node === requester || node === late)
    cluster.run(2_000)
    showNothing(given)
  })

  it('count only when they are signed by a member, for this roster and epoch', () => {
    const given = decided()
    const { cluster, requester, members, thread } = given
    silence(given)
    const [member] = members as [ClusterNode]
    const good = sealOf(given, member, null)
    const spoilt: Sealed[] = [
      { ...good, epoch: 1 },
      { ...good, roster: new Uint8Array(32) },
      { ...good, proposal: thread },
      { ...good, digest: new Uint8Array(32) },
      { ...good, sig: new Uint8Array(64) }
    ]
    const waits = (): string => cluster.view(requester, thread).reason
    const before = waits()
    for (const seal of spoilt) tell(cluster, requester, member.did, seal)
    tell(cluster, requester, testKeys(60).did, good)
    const decline: PeerMessage = { type: 'decline', thread, epoch: 0, reason: 'lies' }
    tell(cluster, requester, testKeys(60).did, decline)
    assert.equal(waits(), before)
    tell(cluster, requester, member.did, decline)
    assert.match(waits(), /lies/u)
  })
})
