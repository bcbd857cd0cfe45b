/**
 * Goal: a member that sealed an epoch has left it for good, and only the requester can make it leave (R11, R15). Method: single messages to nodes of the
 * virtual world, and every effect of a sealed node looked at.
 */
import { strict as assert } from 'node:assert'
import { compareFence, type Fence } from '../../../../src/core/envelope/index.ts'
import { drawOrder } from '../../../../src/core/roster/index.ts'
import type { JournalRecord, PeerMessage } from '../../../../src/core/swarm/index.ts'
import { checkRecord } from '../../../../src/replay/check-record.ts'
import { writeRecord } from '../../../../src/replay/index.ts'
import { NO_POLICIES } from '../../../support/record-header.ts'
import {
  answers,
  ask,
  commitDraft,
  decided,
  tell,
  types,
  watched,
  watchSteps
} from '../../../support/sealed-world.ts'
import { give, stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, testKeys, testVerify } from '../../../support/swarm-cluster.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { twoEpochs } from '../../../support/two-epochs.ts'

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
    watchSteps((node, effects) => {
      if (!sealed.includes(node)) return
      for (const effect of effects) {
        const isOfGroup =
          effect.kind === 'send' && 'group' in effect.message && effect.message.group === group
        if (isOfGroup && effect.message.type !== 'pull') said.push(effect.message.type)
        if (effect.kind !== 'persist') continue
        for (const record of effect.records) if (BINDING.has(record.type)) said.push(record.type)
      }
    })
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

  it('declines an invitation to an epoch that it would not join', () => {
    const { cluster, requester, thread, members } = decided()
    const [member] = members as [ClusterNode]
    const need = requester.swarm.envelope(thread, thread)?.bytes as Uint8Array
    const invited = (epoch: number): string[] =>
      types(tell(cluster, member, requester.did, { type: 'invite', need, epoch }))
    assert.deepEqual([invited(1), invited(4)], [['available'], ['decline']])
    tell(cluster, member, requester.did, ask(thread))
    assert.deepEqual([invited(0), invited(1)], [['decline'], ['available']])
    assert(cluster.runUntil(() => cluster.view(member, thread).phase === 'EXPIRED', 90_000))
    assert.deepEqual(invited(1), ['decline'])
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
