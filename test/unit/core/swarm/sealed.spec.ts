/**
 * Goal: a member that sealed an epoch has left it for good, and only the requester can make it leave (R11, R15). Method: single messages to nodes of the
 * virtual world, and every effect of a sealed node looked at.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import {
  compareFence,
  type Draft,
  type Fence,
  type Payload
} from '../../../../src/core/envelope/index.ts'
import { drawOrder, rosterHash, sealBytes } from '../../../../src/core/roster/index.ts'
import type { Effect, JournalRecord, PeerMessage } from '../../../../src/core/swarm/index.ts'
import { checkRecord } from '../../../../src/replay/check-record.ts'
import { writeRecord } from '../../../../src/replay/index.ts'
import { NO_POLICIES } from '../../../support/record-header.ts'
import { type Script, script } from '../../../support/swarm-agents.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import {
  type ClusterNode,
  OUTPUT,
  SwarmCluster,
  testDraft,
  testKeys,
  testVerify
} from '../../../support/swarm-cluster.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { twoEpochs } from '../../../support/two-epochs.ts'

type World = {
  readonly cluster: SwarmCluster
  readonly requester: ClusterNode
  readonly thread: string
  readonly members: readonly ClusterNode[]
}

type Watch = (node: ClusterNode, effects: readonly Effect[]) => void
/** Sees the effects of every step of the world at hand. */
let watch: Watch | null = null

function watched(nodes: number, seed: number): SwarmCluster {
  watch = null
  return new SwarmCluster({
    nodes,
    seed,
    witness: { stepped: (node, _, effects) => watch?.(node, effects) }
  })
}

/** A decided NEED whose worker does not claim, or one that nobody bids for; `members` are those of the group without the requester. */
function decided(works: Script = { claims: () => false }): World {
  const cluster = watched(7, 7)
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, {
      verifies: index >= 2,
      ...works,
      works: index === 1 && works.works !== false
    })
  const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 60_000 })
  const requester = cluster.nodes[0] as ClusterNode
  const isReady = ({ swarm }: ClusterNode): boolean =>
    works.works === false
      ? swarm.view(thread)?.group != null
      : swarm.view(thread)?.decide?.certified === true
  assert(cluster.runUntil(() => cluster.nodes.every(isReady), 20_000))
  const { roster = [] } = cluster.view(requester, thread).group ?? {}
  const members = cluster.nodes.filter(node => node !== requester && roster.includes(node.did))
  return { cluster, requester, thread, members }
}

/** What a node answers to one message. */
function tell(
  cluster: SwarmCluster,
  node: ClusterNode,
  from: string,
  message: PeerMessage
): readonly Effect[] {
  const effects: Effect[] = []
  watch = (who, of) => {
    if (who === node) effects.push(...of)
  }
  cluster.input(node, { kind: 'message', nowMs: cluster.nowMs, from, message })
  watch = null
  return effects
}

function answers(effects: readonly Effect[]): PeerMessage[] {
  return effects.flatMap(effect => (effect.kind === 'send' ? [effect.message] : []))
}

function types(effects: readonly Effect[]): string[] {
  return answers(effects).map(({ type }) => type)
}

function commitDraft(
  { cluster, requester, thread }: World,
  fence: Fence
): Draft<'COMMIT'> & { readonly epoch: number } {
  const task = CID.parse(cluster.view(requester, thread).decide?.proposal ?? thread)
  const figures = { tokens: 0, cost: 1n, wallMs: 1, exitStatus: 0 }
  const telemetry = { ...figures, tool: 't', model: '', zone: '' }
  const payload: Payload<'COMMIT'> = { task, outputs: [OUTPUT], verifyBounty: 10n, telemetry }
  const draft = testDraft(cluster.nowMs, 'COMMIT', CID.parse(thread), payload)
  return { ...draft, epoch: 0, fence } as typeof draft & { epoch: number }
}

const ask = (thread: string, epoch = 0): PeerMessage => ({ type: 'seal-ask', thread, epoch })

/** What only a member of a group writes. */
const BINDING: ReadonlySet<string> = new Set(['entries', 'hard-state', 'lock', 'join'])

describe('core/swarm: a member that seals', () => {
  it('writes its SEAL to disk before it sends it, and says the same again, also after a restart', () => {
    const { cluster, requester, thread, members } = decided()
    const member = members[0] as ClusterNode
    const effects = tell(cluster, member, requester.did, ask(thread))
    const kinds = effects.map(effect =>
      effect.kind === 'persist' ? `${effect.records[0]?.type} ${effect.sync}` : effect.kind
    )
    assert.deepEqual(kinds, ['sealed true', 'send'])
    const [seal] = answers(effects)
    assert(seal?.type === 'sealed')
    assert.equal(seal.proposal, cluster.view(member, thread).decide?.proposal)
    assert.deepEqual(answers(tell(cluster, member, requester.did, ask(thread))), [seal])
    cluster.crash(member)
    cluster.restart(member)
    const again = answers(tell(cluster, member, requester.did, ask(thread)))
    assert.deepEqual(again, [seal])
  })

  it('shows nothing when it was locked on nothing', () => {
    const cluster = watched(5, 4)
    const thread = stateNeed(cluster)
    const requester = cluster.nodes[0] as ClusterNode
    cluster.run(200)
    const { roster = [] } = cluster.view(requester, thread).group ?? {}
    const member = cluster.nodes.find(node => node !== requester && roster.includes(node.did))
    const [seal] = answers(tell(cluster, member as ClusterNode, requester.did, ask(thread)))
    assert(seal?.type === 'sealed' && seal.digest === null && seal.proposal === null)
  })

  it('acks nothing, votes for nothing and stands for nothing in that epoch any more, also after a restart', () => {
    const { cluster, requester, thread, members } = decided({ claims: () => true, commits: false })
    const group = cluster.view(requester, thread).group?.id
    const sealed = members.slice(0, 1)
    for (const member of sealed) tell(cluster, member, requester.did, ask(thread))
    const said: string[] = []
    watch = (node, effects) => {
      if (!sealed.includes(node)) return
      for (const effect of effects) {
        const isOfGroup =
          effect.kind === 'send' && 'group' in effect.message && effect.message.group === group
        if (isOfGroup && effect.message.type !== 'pull') said.push(effect.message.type)
        if (effect.kind !== 'persist') continue
        for (const record of effect.records) if (BINDING.has(record.type)) said.push(record.type)
      }
    }
    cluster.run(3_000)
    for (const member of sealed) {
      cluster.crash(member)
      cluster.restart(member)
    }
    cluster.run(3_000)
    assert.deepEqual(said, [])
    // The others go on without it: three of four are enough.
    assert((cluster.view(requester, thread).group?.applied ?? 0) > 0)
  })

  it('joins no roster of that epoch or an earlier one', () => {
    const { cluster, requester, thread, members } = decided()
    const member = members[0] as ClusterNode
    const chosen = requester.disk.find(record => record.type === 'chosen')
    assert(chosen?.type === 'chosen')
    const { candidates, roster } = chosen
    const bind: PeerMessage = { type: 'bind', thread, epoch: 0, candidates, roster }
    assert.deepEqual(types(tell(cluster, member, requester.did, bind)), ['join'])
    tell(cluster, member, requester.did, ask(thread))
    assert.deepEqual(types(tell(cluster, member, requester.did, bind)), ['decline'])
  })

  it('is asked by the requester only', () => {
    const { cluster, requester, thread, members } = decided()
    const member = members[0] as ClusterNode
    const outsider = testKeys(60).did
    for (const from of [outsider, (members[1] as ClusterNode).did])
      assert.deepEqual(types(tell(cluster, member, from, ask(thread))), [])
    assert(!member.disk.some(record => record.type === 'sealed'))
    assert.deepEqual(types(tell(cluster, member, requester.did, ask(thread))), ['sealed'])
  })

  it('declines where it joined nothing, and once there is a result', () => {
    const { cluster, requester, thread, members } = decided({ claims: () => true, pass: true })
    const outsider = cluster.nodes.find(node => node !== requester && !members.includes(node))
    assert.deepEqual(types(tell(cluster, outsider as ClusterNode, requester.did, ask(thread))), [
      'decline'
    ])
    const member = members[0] as ClusterNode
    assert.deepEqual(types(tell(cluster, member, requester.did, ask(thread, 1))), ['decline'])
    for (const phase of ['COMMITTED', 'REVEALING', 'VERIFIED', 'FINAL']) {
      assert(
        cluster.runUntil(() => cluster.view(member, thread).phase === phase, 10_000),
        phase
      )
      assert.deepEqual(types(tell(cluster, member, requester.did, ask(thread))), ['decline'], phase)
    }
    assert(!member.disk.some(record => record.type === 'sealed'))
  })

  it('declines an epoch that it joined while the group before it has a result', () => {
    const { cluster, requester, thread, members } = decided({ claims: () => true, pass: true })
    const [member] = members as [ClusterNode]
    const chosen = requester.disk.find(record => record.type === 'chosen')
    assert(chosen?.type === 'chosen')
    const { candidates } = chosen
    const order = drawOrder(
      thread,
      1,
      candidates.map(({ did }) => did)
    )
    const others = order.filter(did => did !== member.did).slice(0, 3)
    const roster = order.filter(did => did === member.did || others.includes(did))
    const phase = (): string => cluster.view(member, thread).phase
    assert(cluster.runUntil(() => phase() === 'COMMITTED', 10_000))
    tell(cluster, member, requester.did, { type: 'bind', thread, epoch: 1, candidates, roster })
    assert(member.disk.some(record => record.type === 'join' && record.epoch === 1))
    assert.deepEqual(types(tell(cluster, member, requester.did, ask(thread, 1))), ['decline'])
    assert(!member.disk.some(record => record.type === 'sealed'))
    assert(cluster.runUntil(() => phase() === 'FINAL', 10_000))
  })

  it('declines for a while when it holds a COMMIT of the worker that is not in the log, and not for ever', () => {
    const given = decided({ claims: () => true, commits: false })
    const { cluster, requester, thread, members } = given
    const lease = (): Fence | null => cluster.view(requester, thread).lease?.fence ?? null
    assert(cluster.runUntil(() => lease() !== null, 5_000))
    const worker = cluster.nodes[1] as ClusterNode
    const member = members.find(node => node !== worker) as ClusterNode
    // The group is cut off from the member: what it holds comes into no log.
    cluster.linked = (from, to) => from !== member && to !== member
    const answer = (): string[] => types(tell(cluster, member, requester.did, ask(thread)))
    const commit = commitDraft(given, lease() as Fence)
    give(cluster, [member], cluster.seal(worker.keys, commit, 900_000))
    assert.deepEqual(answer(), ['decline'])
    cluster.run(60_000)
    assert.deepEqual(answer(), ['sealed'])
  })

  it('seals when it holds a COMMIT of somebody who is not the decided worker', () => {
    const given = decided({ works: false })
    const { cluster, requester, thread, members } = given
    const [member] = members as [ClusterNode]
    const draft = commitDraft(given, [0, 1, 1])
    give(cluster, [member], cluster.seal(testKeys(60), draft, 900_000))
    assert(cluster.view(member, thread).envelopes.some(({ verb }) => verb === 'COMMIT'))
    assert.deepEqual(types(tell(cluster, member, requester.did, ask(thread))), ['sealed'])
  })
})

describe('core/swarm: seals at the requester', () => {
  type Sealed = Extract<PeerMessage, { type: 'sealed' }>

  /** SEALs of this thread's first epoch that show what they are told to. */
  function sealOf(given: World, member: ClusterNode, shown: Sealed['proposal']): Sealed {
    const { cluster, requester, thread } = given
    const key = { thread, slot: 'slot-1', epoch: 0 }
    const roster = rosterHash(key, cluster.view(requester, thread).group?.roster ?? [])
    const digest = shown === null ? null : new Uint8Array(32).fill(7)
    const sig = member.keys.sign(sealBytes({ ...key, roster, digest, proposal: shown }))
    return { type: 'sealed', thread, epoch: 0, roster, digest, proposal: shown, sig }
  }

  function silence(given: World): void {
    const { cluster, requester } = given
    cluster.linked = (from, to) => from === requester || to !== requester
    const id = cluster.command(requester, { type: 'reform', thread: given.thread })
    assert((requester.replies.get(id) as { ok: boolean }).ok)
  }

  /** What the seals show on which the requester's last choice rests. */
  function shownIn({ requester }: World): ReadonlySet<string | null> {
    const chosen = requester.disk.findLast(record => record.type === 'chosen')
    assert(chosen?.type === 'chosen')
    return new Set(chosen.seals.flatMap(({ seals }) => seals.map(({ proposal }) => proposal)))
  }

  /** A PROPOSE that everybody has and nobody attests. */
  function bidBy({ cluster, thread }: World, worker: ClusterNode): string {
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
  function isNotBound(given: World, shown: string): void {
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

  function chosenEpoch({ requester }: World): number {
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

  it('of one member that show a bid are not believed any more when another answers before the next group is chosen', () => {
    const given = decided({ works: false })
    const { cluster, requester, members, thread } = given
    const bid = bidBy(given, cluster.nodes[1] as ClusterNode)
    silence(given)
    const [one, two, late] = members as [ClusterNode, ClusterNode, ClusterNode]
    tell(cluster, requester, one.did, sealOf(given, one, bid))
    tell(cluster, requester, two.did, sealOf(given, two, null))
    const reason = (): string => cluster.view(requester, thread).reason
    assert(cluster.runUntil(() => !reason().includes('different decisions'), 20_000))
    // Nobody whom it invites can answer: it goes on to look for a group.
    cluster.run(1_000)
    assert.equal(chosenEpoch(given), 0)
    tell(cluster, requester, late.did, sealOf(given, late, null))
    for (const member of members)
      member.malice = { send: (_, message) => (message.type === 'sealed' ? [] : [message]) }
    cluster.linked = () => true
    assert(cluster.runUntil(() => cluster.view(requester, thread).epoch === 1, 20_000))
    assert.deepEqual(shownIn(given), new Set([null]))
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

describe('core/swarm: after a new epoch', () => {
  it('a fence of the old one is void at every node, and a COMMIT with it counts nothing', () => {
    const given = decided({ claims: () => true, commits: false })
    const { cluster, requester, thread } = given
    const lease = (): Fence | null => cluster.view(requester, thread).lease?.fence ?? null
    assert(cluster.runUntil(() => lease() !== null, 5_000))
    const old = lease() as Fence
    cluster.command(requester, { type: 'reform', thread })
    assert(cluster.runUntil(() => (lease()?.[0] ?? 0) === 1, 20_000))
    assert(compareFence(lease() as Fence, old) > 0)
    const worker = cluster.nodes[1] as ClusterNode
    // The old fence under either epoch, and the new fence under the old epoch.
    const tries: [number, Fence][] = [
      [0, old],
      [1, old],
      [0, lease() as Fence]
    ]
    for (const [index, [epoch, fence]] of tries.entries()) {
      const draft = { ...commitDraft(given, fence), epoch }
      const admitted = cluster.seal(worker.keys, draft, 900_000 + index)
      give(cluster, cluster.nodes, admitted)
    }
    cluster.run(900)
    for (const node of cluster.nodes) assert.equal(cluster.view(node, thread).commit, null)
  })

  it('an old member learns of it when it says something about the old one', () => {
    const { cluster, requester, thread, members } = decided()
    const lost = members[0] as ClusterNode
    const others = cluster.nodes.filter(node => node !== lost)
    cluster.linked = (from, to) => from !== lost && to !== lost
    cluster.command(requester, { type: 'reform', thread })
    assert(
      cluster.runUntil(() => others.every(node => cluster.view(node, thread).epoch === 1), 20_000)
    )
    assert.equal(cluster.view(lost, thread).epoch, 0)
    cluster.linked = () => true
    assert(cluster.runUntil(() => cluster.view(lost, thread).epoch === 1, 20_000))
    assert.deepEqual(cluster.view(lost, thread).warnings, [])
  })

  it('a node that was away for all of it follows from what others have', () => {
    const { cluster, thread } = twoEpochs()
    const late = cluster.nodes[5] as ClusterNode
    cluster.crash(late)
    const need = late.disk.find(record => record.type === 'envelope') as JournalRecord
    late.disk = [need]
    cluster.restart(late)
    assert(cluster.runUntil(() => late.swarm.record(thread)?.complete === true, 20_000))
    assert.equal(cluster.view(late, thread).epoch, 1)
  })

  const folder = temporaryFolder()
  it('the record of the thread replays to the same FINALIZE bytes', async () => {
    const { node, thread } = twoEpochs()
    const record = node.swarm.record(thread)
    assert(record?.complete === true)
    const path = `${folder.path}/two.jsonl`
    await writeRecord(path, { thread, ...NO_POLICIES, ...record }, node.keys)
    const report = await checkRecord(path, { verify: testVerify, policies: false, replay: true })
    assert.deepEqual(report.problems, [])
    assert(report.ok && report.finalizeBytesEqual)
    assert.equal(report.decide?.epoch, 1)
  })
})
