/**
 * Goal: a NEED whose group fails goes on in a new epoch, and never with another decision (R8, R9, R11). Method: members and the requester
 * crash at each step of a thread's life in the virtual world; what each node says and keeps is looked at.
 */
import { strict as assert } from 'node:assert'
import type { Payload } from '../../../../src/core/envelope/index.ts'
import type { JournalRecord } from '../../../../src/core/swarm/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

type World = {
  readonly cluster: SwarmCluster
  readonly requester: ClusterNode
  readonly thread: string
}

/** A NEED of node 0; node 1 works, the others verify. Patient enough for a few epochs. */
function world(
  options: {
    nodes?: number
    seed?: number
    worker?: number
    claims?: (epoch: number) => boolean
  } = {},
  overrides: Partial<Payload<'NEED'>> = {}
): World {
  const cluster = new SwarmCluster({ nodes: options.nodes ?? 7, seed: options.seed ?? 7 })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, {
      works: index === (options.worker ?? 1),
      verifies: index >= 2,
      claims: options.claims ?? (() => true)
    })
  const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 300_000, ...overrides })
  return { cluster, thread, requester: cluster.nodes[0] as ClusterNode }
}

function recordsOf<T extends JournalRecord['type']>(
  node: ClusterNode,
  type: T
): Extract<JournalRecord, { type: T }>[] {
  return node.disk.filter(record => record.type === type) as Extract<JournalRecord, { type: T }>[]
}

/** The members that the requester has chosen for an epoch, without itself. */
function chosen({ cluster, requester }: World, epoch: number): ClusterNode[] {
  const roster = recordsOf(requester, 'chosen').find(record => record.epoch === epoch)?.roster ?? []
  return cluster.nodes.filter(node => node !== requester && roster.includes(node.did))
}

/** A chosen member that the thread can do without: it does not work. */
function bystander(given: World): ClusterNode {
  const worker = given.cluster.nodes[1]
  return chosen(given, 0).find(node => node !== worker) as ClusterNode
}

function reform({ cluster, requester, thread }: World): {
  ok: boolean
  refusal?: { code: string }
} {
  const id = cluster.command(requester, { type: 'reform', thread })
  return requester.replies.get(id) as { ok: boolean; refusal?: { code: string } }
}

function reaches(given: World, condition: () => boolean, msMax = 120_000): void {
  const { cluster, thread } = given
  const states = (): string =>
    cluster.nodes
      .map(node => {
        const view = node.alive ? node.swarm.view(thread) : undefined
        return `${node.index} ${node.alive} ${view?.epoch} ${view?.phase} ${view?.reason} ${view?.warnings}`
      })
      .join('\n')
  assert(cluster.runUntil(condition, msMax), `${condition}\n${states()}`)
}

/** All that are alive have the whole record, with the same bytes of the end. */
function ends(given: World): void {
  const { cluster, thread } = given
  const alive = (): ClusterNode[] => cluster.nodes.filter(node => node.alive)
  reaches(given, () => alive().every(node => node.swarm.record(thread)?.complete === true))
  const views = alive().map(node => cluster.view(node, thread))
  for (const { phase, epoch, decide, finalize } of views) {
    const first = views[0] as (typeof views)[0]
    assert.deepEqual(
      [phase, epoch, decide?.proposal, finalize?.payouts],
      ['FINAL', first.epoch, first.decide?.proposal, first.finalize?.payouts]
    )
  }
}

function isDecided({ cluster, thread }: World): boolean {
  return cluster.nodes.every(
    node => !node.alive || node.swarm.view(thread)?.decide?.certified === true
  )
}

function epochs({ cluster, thread }: World): (number | undefined)[] {
  return cluster.nodes.filter(node => node.alive).map(node => node.swarm.view(thread)?.epoch)
}

describe('core/swarm: epochs', () => {
  it('goes on without a member that died between its choice and its JOIN', () => {
    const given = world()
    const { cluster, requester, thread } = given
    reaches(given, () => recordsOf(requester, 'chosen').length > 0)
    const lost = bystander(given)
    cluster.crash(lost)
    ends(given)
    const view = cluster.view(requester, thread)
    assert.equal(view.epoch, 1)
    assert(!view.group?.roster.includes(lost.did))
  })

  it('asks members again that had no time to join before their requester wanted another group', () => {
    const given = world({ nodes: 5 })
    const { cluster, requester, thread } = given
    reaches(given, () => recordsOf(requester, 'chosen').length === 1)
    assert.equal(recordsOf(requester, 'chosen')[0]?.roster.length, 4)
    assert(reform(given).ok)
    reaches(given, () => cluster.view(requester, thread).phase === 'FINAL')
    assert.equal(cluster.view(requester, thread).epoch, 1)
  })

  it('leaves out a member that is there, had the time to join and did not', () => {
    const given = world({ nodes: 5 })
    const { cluster, requester, thread } = given
    reaches(given, () => recordsOf(requester, 'chosen').length === 1)
    const mute = bystander(given)
    mute.malice = { send: (_, message) => (message.type === 'join' ? [] : [message]) }
    reaches(given, () => recordsOf(requester, 'chosen').length === 2)
    assert(!chosen(given, 1).includes(mute))
    ends(given)
    assert.equal(cluster.view(requester, thread).epoch, 1)
  })

  it('is decided in a later epoch though two members take turns in not joining', () => {
    const given = world({ nodes: 6, seed: 6 })
    const { cluster, requester, thread } = given
    const pair = cluster.nodes.slice(-2)
    /** By epoch: which of the two did not join. */
    const mute = new Map<number, ClusterNode>()
    for (const node of pair)
      node.malice = {
        send: (_, message) => {
          if (message.type !== 'join') return [message]
          if (mute.get(message.epoch - 1) !== node && !mute.has(message.epoch))
            mute.set(message.epoch, node)
          return mute.get(message.epoch) === node ? [] : [message]
        }
      }
    reaches(given, () => requester.swarm.view(thread)?.decide?.certified === true)
    const { epoch, group } = cluster.view(requester, thread)
    assert.deepEqual([mute.size, epoch], [2, 2])
    for (const { did } of pair) assert(!group?.roster.includes(did))
  })

  it('invites those that were absent again when there are too few without them, the longest ago first', () => {
    const given = world({ nodes: 5 })
    const { cluster, requester, thread } = given
    const mute: ClusterNode[] = []
    // In each epoch the first that is asked and did not stay away from one before.
    for (const node of cluster.nodes.slice(1))
      node.malice = {
        send: (_, message) => {
          if (message.type !== 'join') return [message]
          if (mute[message.epoch] === undefined && message.epoch < 2 && !mute.includes(node))
            mute[message.epoch] = node
          return mute[message.epoch] === node ? [] : [message]
        }
      }
    reaches(given, () => requester.swarm.view(thread)?.decide?.certified === true)
    const { epoch, group } = cluster.view(requester, thread)
    assert.deepEqual([mute.length, epoch], [2, 2])
    const [first, second] = mute as [ClusterNode, ClusterNode]
    assert(group?.roster.includes(first.did))
    assert(!group?.roster.includes(second.did))
  })

  it('goes on with others when a group stands still, also after a restart of the requester', () => {
    for (const restarts of [false, true]) {
      const given = world()
      const { cluster, requester, thread } = given
      reaches(given, () => requester.swarm.view(thread)?.phase === 'BIDDING')
      const before = chosen(given, 0)
      for (const node of before)
        node.malice = { send: (_, message) => (message.type === 'raft' ? [] : [message]) }
      reaches(given, () => recordsOf(requester, 'sealing').length > 0)
      if (restarts) {
        cluster.crash(requester)
        cluster.run(500)
        cluster.restart(requester)
      }
      reaches(given, () => requester.swarm.view(thread)?.decide?.certified === true)
      assert.equal(cluster.view(requester, thread).epoch, 1)
      for (const node of chosen(given, 1)) assert(!before.includes(node))
    }
  })

  it('waits for the member instead when there is nobody to take its place', () => {
    const given = world({ nodes: 4 })
    const { cluster, requester, thread } = given
    reaches(given, () => recordsOf(requester, 'chosen').length > 0)
    const lost = bystander(given)
    cluster.crash(lost)
    cluster.run(60_000)
    assert.equal(cluster.view(requester, thread).epoch, 0)
    cluster.restart(lost)
    ends(given)
    assert.deepEqual(epochs(given), [0, 0, 0, 0])
  })

  it('carries a certified decision over, although a better bid comes', () => {
    const given = world({ worker: 6, claims: epoch => epoch > 0 })
    const { cluster, requester, thread } = given
    reaches(given, () => isDecided(given))
    const decided = cluster.view(requester, thread).decide?.proposal
    // Node 1 bids less than node 6 did, before the new group decides.
    script(cluster, cluster.nodes[1] as ClusterNode, { works: true })
    assert(reform(given).ok)
    ends(given)
    const view = cluster.view(requester, thread)
    assert.deepEqual([view.epoch, view.decide?.proposal], [1, decided])
  })

  it('forms anew by itself when a member stays away, and not before', () => {
    const given = world({ claims: epoch => epoch > 0 })
    const { cluster, requester, thread } = given
    reaches(given, () => isDecided(given))
    const lost = bystander(given)
    cluster.crash(lost)
    cluster.run(29_000)
    assert.equal(cluster.view(requester, thread).epoch, 0)
    ends(given)
    const view = cluster.view(requester, thread)
    assert.equal(view.epoch, 1)
    assert(!view.group?.roster.includes(lost.did))
    // Back again, it finds that its epoch is over.
    cluster.restart(lost)
    ends(given)
  })

  it('stays in its epoch when members come back in time', () => {
    const given = world({ claims: () => false })
    const { cluster, requester, thread } = given
    reaches(given, () => isDecided(given))
    for (let round = 0; round < 5; round++)
      for (const member of chosen(given, 0)) {
        cluster.crash(member)
        cluster.run(9_000)
        cluster.restart(member)
        cluster.run(1_000)
      }
    assert.equal(cluster.view(requester, thread).epoch, 0)
    assert.deepEqual(recordsOf(requester, 'sealing'), [])
  })

  it('stays in its epoch when the requester itself was stopped', () => {
    const given = world({ claims: () => false })
    const { cluster, requester, thread } = given
    reaches(given, () => isDecided(given))
    cluster.crash(bystander(given))
    cluster.run(1_000)
    cluster.pause(requester)
    cluster.run(60_000)
    cluster.resume(requester)
    cluster.run(1_000)
    assert.deepEqual(recordsOf(requester, 'sealing'), [])
    assert.equal(cluster.view(requester, thread).epoch, 0)
  })

  it('is opened only by the requester, only of a bound group, and never once there is a result', () => {
    const given = world()
    const { cluster, requester, thread } = given
    assert.equal(reform(given).refusal?.code, 'NOTHING_TO_SEAL')
    const other = cluster.nodes[3] as ClusterNode
    reaches(given, () => requester.swarm.view(thread)?.phase === 'BIDDING')
    const id = cluster.command(other, { type: 'reform', thread })
    const answer = other.replies.get(id) as { refusal?: { code: string } }
    assert.equal(answer.refusal?.code, 'NOT_REQUESTER')
    for (const phase of ['COMMITTED', 'REVEALING', 'VERIFIED']) {
      reaches(given, () => requester.swarm.view(thread)?.phase === phase)
      assert.equal(reform(given).refusal?.code, 'RESULT_KNOWN', phase)
    }
    ends(given)
    assert.equal(reform(given).refusal?.code, 'THREAD_ENDED')
    assert.equal(cluster.view(requester, thread).epoch, 0)
  })

  it('has an end after the last epoch', () => {
    const given = world({ claims: epoch => epoch === 3 })
    const { requester, thread } = given
    for (let epoch = 0; epoch < 3; epoch++) {
      reaches(given, () => isDecided(given) && requester.swarm.view(thread)?.epoch === epoch)
      assert(reform(given).ok)
      assert.equal(reform(given).refusal?.code, 'REFORMING')
      reaches(given, () => requester.swarm.view(thread)?.epoch === epoch + 1)
    }
    assert.equal(reform(given).refusal?.code, 'EPOCHS_USED_UP')
    ends(given)
    assert.deepEqual(new Set(epochs(given)), new Set([3]))
  })

  it('works for a NEED of its requester alone', () => {
    const given = world({ claims: epoch => epoch > 0 }, { solo: true })
    const { cluster, requester, thread } = given
    reaches(given, () => cluster.view(requester, thread).decide?.certified === true)
    assert(reform(given).ok)
    ends(given)
    assert.equal(cluster.view(requester, thread).epoch, 1)
  })
})

describe('core/swarm: a new epoch at every step of a thread', () => {
  for (const phase of ['OPEN', 'BIDDING', 'DECIDED', 'CLAIMED']) {
    it(`is formed in ${phase}, with a member lost and back`, () => {
      for (let seed = 1; seed <= 2; seed++) {
        const given = world({ seed })
        const { cluster, requester, thread } = given
        const bound = (): boolean => recordsOf(requester, 'chosen').length > 0
        reaches(given, () => bound() && cluster.view(requester, thread).phase === phase)
        const before = cluster.view(requester, thread).decide
        const lost = chosen(given, 0)[seed % 2] as ClusterNode
        cluster.crash(lost)
        const asked = reform(given)
        cluster.run(2_000)
        cluster.restart(lost)
        ends(given)
        const view = cluster.view(requester, thread)
        if (asked.ok && view.epoch > 0 && before?.certified === true)
          assert.equal(view.decide?.proposal, before.proposal)
      }
    })
  }

  it('survives a crash of the requester after each record that it writes', () => {
    const given = world({ claims: epoch => epoch > 0 })
    reaches(given, () => isDecided(given))
    const written = given.requester.disk.length
    assert(reform(given).ok)
    // Up to its FORM, and a little further; what comes then is as in any epoch.
    reaches(given, () => given.requester.swarm.view(given.thread)?.epoch === 1)
    const steps = given.requester.disk.length - written + 2
    assert(steps > 4, 'it writes the sealing, its own seal, its choice, its promise and FORM')
    for (let step = 0; step < steps; step += 1) {
      const again = world({ claims: epoch => epoch > 0 })
      const { cluster, requester, thread } = again
      reaches(again, () => isDecided(again))
      const decided = cluster.view(requester, thread).decide?.proposal
      assert(reform(again).ok)
      const mark = written + step
      cluster.runUntil(() => requester.disk.length > mark, 30_000)
      cluster.crash(requester)
      cluster.run(500)
      cluster.restart(requester)
      ends(again)
      const view = cluster.view(requester, thread)
      assert.deepEqual([view.epoch, view.decide?.proposal], [1, decided], `step ${step}`)
    }
  })

  it('survives a crash of each member while it seals and joins', () => {
    for (const type of ['sealed', 'join'] as const)
      for (const index of [0, 1]) {
        const given = world({ claims: epoch => epoch > 0 })
        const { cluster } = given
        reaches(given, () => isDecided(given))
        const member = chosen(given, 0)[index]
        if (member === undefined) continue
        const before = recordsOf(member, type).length
        assert(reform(given).ok)
        cluster.runUntil(() => recordsOf(member, type).length > before, 3_000)
        cluster.crash(member)
        cluster.run(700)
        cluster.restart(member)
        ends(given)
        assert.equal(new Set(epochs(given)).size, 1)
      }
  })
})
