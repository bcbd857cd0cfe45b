/**
 * Goal: what R20 names is never compacted away: certificates, tombstones, locks, promises, evidence, open challenges (replay windows:
 * runtime/compaction). Method: a machine is restored from a node's compacted journal and asked what only the record in question lets it answer rightly; then
 * from the same without such records, where it must answer otherwise: a guard that nobody would miss guards nothing.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import { parseEnvelope } from '../../../../src/core/envelope/index.ts'
import { drawOrder, encodeEvidence } from '../../../../src/core/roster/index.ts'
import {
  type Effect,
  type JournalRecord,
  type PeerMessage,
  reviveThread,
  Swarm,
  type SwarmSettings
} from '../../../../src/core/swarm/index.ts'
import { finishedThread } from '../../../support/finished-thread.ts'
import { sampleEvidence } from '../../../support/sample-evidence.ts'
import { type Script, script } from '../../../support/swarm-agents.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import {
  type ClusterNode,
  SwarmCluster,
  testDraft,
  testVerify
} from '../../../support/swarm-cluster.ts'

type Given = { readonly cluster: SwarmCluster; readonly node: ClusterNode; readonly thread: string }
type Match = (record: JournalRecord) => boolean

/** A machine that comes up with these records. */
function restored({ cluster, node }: Given, records: Iterable<JournalRecord>): Swarm {
  const { did, keys } = node
  const swarm = new Swarm({ did, sign: keys.sign, verify: testVerify, random: () => 0 })
  for (const record of records) swarm.restore(record)
  swarm.start(cluster.nowMs)
  return swarm
}

/**
 * What a probe finds with the compacted journal, and with one that lacks the records in question. `aside` is left out of both: what says the same
 * in this moment, and would not always.
 */
function withAndWithout<T>(
  given: Given,
  { without, aside = () => false }: { without: Match; aside?: Match },
  probe: (swarm: Swarm) => T
): [T, T] {
  const kept = [...given.node.swarm.snapshot()].filter(record => !aside(record))
  assert(kept.some(without), 'there is such a record')
  const rest = kept.filter(record => !without(record))
  return [probe(restored(given, kept)), probe(restored(given, rest))]
}

function isOf(...kinds: JournalRecord['type'][]): Match {
  return ({ type }) => kinds.includes(type)
}

function isVerb(...verbs: string[]): Match {
  return record => {
    const parsed = record.type === 'envelope' ? parseEnvelope(record.bytes) : null
    return parsed?.ok === true && verbs.includes(parsed.value.envelope.verb)
  }
}

/** Types of what a machine answers to one message of the requester. */
function answers(given: Given, swarm: Swarm, message: PeerMessage): PeerMessage[] {
  const from = given.cluster.nodes[0]?.did ?? ''
  const effects = swarm.step({ kind: 'message', nowMs: given.cluster.nowMs, from, message })
  return effects.flatMap((effect: Effect) => (effect.kind === 'send' ? [effect.message] : []))
}

/** A member, not the requester, of the group of a NEED that is decided and not claimed. */
function decided(): Given {
  const cluster = new SwarmCluster({ nodes: 7, seed: 7 })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1, verifies: index >= 2, claims: () => false })
  const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 60_000 })
  const isDecided = ({ swarm }: ClusterNode): boolean =>
    swarm.view(thread)?.decide?.certified === true
  assert(cluster.runUntil(() => cluster.nodes.every(isDecided), 20_000))
  const [requester] = cluster.nodes as [ClusterNode]
  const { roster = [] } = cluster.view(requester, thread).group ?? {}
  const node = cluster.nodes.find(each => each !== requester && roster.includes(each.did))
  assert(node !== undefined)
  return { cluster, node, thread }
}

/** How the requester bound its members. */
function binding({ cluster, thread }: Given): Extract<PeerMessage, { type: 'bind' }> {
  const chosen = cluster.nodes[0]?.disk.find(record => record.type === 'chosen')
  assert(chosen?.type === 'chosen')
  const { candidates, roster } = chosen
  return { type: 'bind', thread, epoch: 0, candidates, roster }
}

/** A thread with a challenge that verifiers have yet to judge. */
function disputed(settings: Partial<SwarmSettings>): Given {
  const cluster = new SwarmCluster({ nodes: 6, seed: 26, settings })
  const roleOf = (index: number): Script => ({ works: index === 1, verifies: index === 2 })
  for (const [index, node] of cluster.nodes.entries()) script(cluster, node, roleOf(index))
  const { windows } = cluster.need().payload
  const thread = stateNeed(cluster, { windows: { ...windows, challengeMs: 5_000 } })
  const isVerified = ({ swarm }: ClusterNode): boolean => swarm.view(thread)?.phase === 'VERIFIED'
  assert(cluster.runUntil(() => cluster.nodes.every(isVerified), 20_000))
  const challenger = cluster.nodes[4] as ClusterNode
  const view = cluster.view(challenger, thread)
  const draft = testDraft(cluster.nowMs, 'CHALLENGE', CID.parse(thread), {
    task: CID.parse(view.decide?.proposal ?? ''),
    commit: CID.parse(view.commit?.id ?? ''),
    bond: 1n,
    proof: { type: 'output_mismatch', evidence: [], note: 'differs' }
  })
  cluster.command(challenger, { type: 'publish', draft })
  const node = cluster.nodes[0] as ClusterNode
  const isOpen = (): boolean => node.swarm.view(thread)?.challenges[0]?.status === 'open'
  assert(cluster.runUntil(isOpen, 5_000))
  return { cluster, node, thread }
}

describe('core/swarm: a compacted journal', () => {
  it('has tombstones: what is over is not joined again', () => {
    const { cluster, node: requester, thread } = finishedThread()
    const node = cluster.nodes[1] as ClusterNode
    const given = { cluster, node, thread }
    const bytes = requester.swarm.envelope(thread, thread)?.bytes
    assert(bytes !== undefined)
    assert(cluster.runUntil(() => node.swarm.tombstone(thread) !== undefined, 200_000))
    const invite: PeerMessage = { type: 'invite', need: bytes, epoch: 0 }
    const [kept, lost] = withAndWithout(given, { without: isOf('tombstone') }, swarm =>
      answers(given, swarm, invite).map(({ type }) => type)
    )
    assert.deepEqual(kept, ['decline'])
    assert.notDeepEqual(lost, ['decline'])
  })

  it('has finality locks: a SEAL shows the decision that the member is locked on', () => {
    const given = decided()
    const { thread } = given
    // What led to the decision would lead to it again.
    const aside = isOf('entries', 'learned', 'hard-state')
    const [kept, lost] = withAndWithout(given, { without: isOf('lock'), aside }, swarm => {
      const [seal] = answers(given, swarm, { type: 'seal-ask', thread, epoch: 0 })
      return seal?.type === 'sealed' ? seal.proposal : undefined
    })
    assert.equal(kept, given.cluster.view(given.node, thread).decide?.proposal)
    assert.equal(lost, null)
  })

  it('has JOIN promises: a member joins one roster of an epoch and no other', () => {
    const given = decided()
    const bind = binding(given)
    // The requester says that one of the members did not answer, and so draws another.
    const absent = bind.roster.find(did => did !== given.node.did)
    const candidates = bind.candidates.filter(({ did }) => did !== absent)
    const order = drawOrder(
      given.thread,
      0,
      candidates.map(({ did }) => did)
    )
    const other = { ...bind, candidates, roster: order.slice(0, bind.roster.length) }
    // Of a member to which FORM never came.
    const aside = isVerb('FORM', 'DECIDE')
    const [kept, lost] = withAndWithout(given, { without: isOf('join'), aside }, swarm => {
      const asked = [other, bind].map(message => answers(given, swarm, message)[0])
      return asked.map(answer => (answer?.type === 'decline' ? answer.reason : answer?.type))
    })
    assert.match(kept[0] ?? '', /another roster/u)
    assert.equal(kept[1], 'join')
    assert.equal(lost[0], 'join')
  })

  it('has SEALs: an epoch that a member has left is left', () => {
    const given = decided()
    const { cluster, node, thread } = given
    const requester = cluster.nodes[0] as ClusterNode
    const message: PeerMessage = { type: 'seal-ask', thread, epoch: 0 }
    cluster.input(node, { kind: 'message', nowMs: cluster.nowMs, from: requester.did, message })
    const bind = binding(given)
    const [kept, lost] = withAndWithout(given, { without: isOf('sealed') }, swarm =>
      answers(given, swarm, bind).map(({ type }) => type)
    )
    assert.deepEqual([kept, lost], [['decline'], ['join']])
  })

  it('has certificates, in memory and in the archive', () => {
    const { cluster, node, thread } = finishedThread()
    const given = { cluster, node, thread }
    const of = (swarm: Swarm | undefined): unknown => swarm?.certificate(thread, 'outcome')
    const whole = of(node.swarm)
    assert(whole !== undefined)
    const isFinalize = isVerb('FINALIZE')
    const [kept, lost] = withAndWithout(given, { without: isFinalize }, of)
    assert.deepEqual(kept, whole)
    assert.equal(lost, undefined)
    assert(cluster.runUntil(() => node.archive.has(thread), 200_000))
    const archived = node.archive.get(thread)
    assert(archived !== undefined)
    assert.deepEqual(of(reviveThread(archived, node.did)), whole)
    const records = archived.records.filter(record => !isFinalize(record))
    assert.equal(of(reviveThread({ ...archived, records }, node.did)), undefined)
  })

  it('has evidence', () => {
    const { cluster, node, thread } = finishedThread()
    const { evidence } = sampleEvidence()
    const bytes = encodeEvidence(evidence['two-votes'])
    const before = restored({ cluster, node, thread }, [{ type: 'evidence', bytes }])
    const again = restored({ cluster, node, thread }, before.snapshot())
    assert.deepEqual(
      [...again.evidence()].map(each => each.bytes),
      [bytes]
    )
  })

  it('has open challenges, and such a thread is not archived, however short it would linger', () => {
    const given = disputed({ lingerMs: 0, lingerIncompleteMs: 0 })
    const { cluster, node, thread } = given
    const challenges = (swarm: Swarm): unknown => swarm.view(thread)?.challenges
    const without = isOf('entries', 'learned')
    const [kept, lost] = withAndWithout(given, { without }, challenges)
    assert.deepEqual(kept, challenges(node.swarm))
    assert.deepEqual(lost, [])
    let open = 0
    const isOver = (): boolean => {
      const [challenge] = node.swarm.view(thread)?.challenges ?? []
      if (challenge?.status !== 'open') return true
      open += 1
      assert(!node.archive.has(thread) && node.swarm.has(thread))
      return false
    }
    assert(cluster.runUntil(isOver, 60_000))
    assert(open > 10, `${open} looks while it was open`)
    assert(
      cluster.runUntil(() => node.archive.has(thread), 60_000),
      'and then it is'
    )
  })
})
