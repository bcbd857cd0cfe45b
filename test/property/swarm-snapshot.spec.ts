// Goal: a compacted journal means the same as the whole one (R20).
// Method: seeded worlds with loss, crashes and overlapping NEEDs; at many moments each node's journal and its snapshot are restored into
// two machines, which must look alike and, fed the same inputs, say the same.
import assert from 'node:assert/strict'
import {
  type Effect,
  type Input,
  type JournalRecord,
  Swarm,
  type SwarmInit
} from '../../src/core/swarm/index.ts'
import { RECORDS } from '../support/sample-records.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { script } from '../support/swarm-agents.ts'
import { type ClusterNode, SwarmCluster, testVerify } from '../support/swarm-cluster.ts'

const SETTINGS = { lingerMs: 1_500, lingerIncompleteMs: 6_000, graceMs: 500 }

function machineOf(node: ClusterNode): Swarm {
  const random = seededRandom(7)
  const init: SwarmInit = {
    did: node.did,
    sign: node.keys.sign,
    verify: testVerify,
    random: below => random.below(below),
    settings: SETTINGS
  }
  return new Swarm(init)
}

function restored(node: ClusterNode, records: Iterable<JournalRecord>): Swarm {
  const swarm = machineOf(node)
  for (const record of records) swarm.restore(record)
  return swarm
}

function pictureOf(swarm: Swarm): unknown {
  return {
    threads: swarm.threadIds().map(id => ({
      view: swarm.view(id),
      record: swarm.record(id),
      plan: swarm.planChanges(id)
    })),
    manifests: [...swarm.manifests().keys()].sort(),
    evidence: [...swarm.evidence()].map(({ id }) => id).sort()
  }
}

/** All records in any order, but for the clock: of a machine that runs it may be ahead of what is on disk. */
function bindings(swarm: Swarm): string[] {
  const json = (record: JournalRecord): string =>
    JSON.stringify(record, (_, value) => (value instanceof Uint8Array ? [...value] : value))
  return [...swarm.snapshot()]
    .filter(record => record.type !== 'clock')
    .map(json)
    .sort()
}

/** What two machines are asked in the same words, to compare what they say. */
function further(cluster: SwarmCluster, node: ClusterNode): Input[] {
  const { nowMs } = cluster
  const others = cluster.nodes.filter(other => other !== node)
  const threads = cluster.nodes.flatMap(other => [...other.swarm.threadIds()])
  const tombstoned = cluster.nodes.flatMap(other => [...other.archive.keys()])
  const known = [...new Set([...threads, ...tombstoned])]
  const inputs: Input[] = others.map(({ did }) => ({
    kind: 'peer',
    nowMs,
    did,
    connected: true
  }))
  for (const thread of known)
    for (const { did } of others) {
      const ask = { thread, epoch: 0 } as const
      const messages = [
        { type: 'pull', thread, have: [], group: null, entries: 0 },
        { type: 'bind', ...ask, candidates: [], roster: [did, node.did] },
        { type: 'seal-ask', ...ask }
      ] as const
      for (const message of messages) inputs.push({ kind: 'message', nowMs, from: did, message })
    }
  for (let tick = 1; tick <= 200; tick++) inputs.push({ kind: 'tick', nowMs: nowMs + tick * 100 })
  return inputs
}

function compare(cluster: SwarmCluster, node: ClusterNode, what: string): void {
  const journal = [...node.disk, ...node.unsynced]
  const whole = restored(node, journal)
  const short = restored(node, [...restored(node, journal).snapshot()])
  assert.deepEqual(bindings(node.swarm), bindings(whole), `${what}, as it runs`)
  assert.deepEqual(pictureOf(short), pictureOf(whole), what)
  assert.deepEqual(bindings(short), bindings(whole), what)
  const run = (swarm: Swarm): (readonly Effect[])[] => [
    swarm.start(cluster.nowMs),
    ...further(cluster, node).map(input => swarm.step(input))
  ]
  const [one, other] = [run(whole), run(short)]
  for (const [index, effects] of one.entries())
    assert.deepEqual(other[index], effects, `${what}, step ${index}`)
  assert.deepEqual(pictureOf(short), pictureOf(whole), `${what}, afterwards`)
}

function world(seed: number): { cluster: SwarmCluster; random: ReturnType<typeof seededRandom> } {
  const random = seededRandom(seed)
  const cluster = new SwarmCluster({
    nodes: 5,
    seed,
    loss: seed % 3 === 0 ? 0.1 : 0,
    settings: SETTINGS
  })
  for (const node of cluster.nodes)
    script(cluster, node, { works: true, verifies: true, pass: !random.chance(0.1) })
  return { cluster, random }
}

/** Types of records that a snapshot does not repeat as they are, and why. */
const REPLACED: readonly JournalRecord['type'][] = [
  // Bytes that are no envelope are passed over; the seeds below have real ones.
  'envelope',
  // The same of evidence.
  'evidence',
  // One clock stands for all.
  'clock',
  // Never in a journal.
  'warned'
]

describe('property/swarm-snapshot: every type of record', () => {
  for (const record of Object.values(RECORDS)) {
    if (REPLACED.includes(record.type)) continue
    it(`keeps ${record.type}`, () => {
      const swarm = new Swarm({
        did: 'did:key:a',
        sign: () => new Uint8Array(64),
        verify: () => true,
        random: () => 0
      })
      swarm.restore(record)
      const kept = [...swarm.snapshot()].filter(({ type }) => type === record.type)
      assert.deepEqual(kept, [record])
      swarm.start(0)
      assert.deepEqual(
        [...swarm.snapshot()].filter(({ type }) => type === record.type),
        [record]
      )
    })
  }
})

describe('property/swarm-snapshot', function () {
  this.timeout(120_000)
  const seen = new Set<string>()
  let dropped = 0

  for (let seed = 1; seed <= 8; seed++) {
    it(`is the journal to a machine that restores it: seed ${seed}`, () => {
      const { cluster, random } = world(seed)
      for (let round = 0; round < 6; round++) {
        const live = cluster.nodes.filter(node => node.alive)
        const requester = live[random.below(live.length)] as ClusterNode
        const expiresAt = cluster.nowMs + 1_500 + random.below(12_000)
        const solo = random.chance(0.15)
        const draft = cluster.need({ slot: `slot-${random.below(6)}`, expiresAt, solo })
        cluster.command(requester, { type: 'state-need', draft })
        cluster.run(random.below(2_500))
        const held = cluster.nodes.map(({ swarm }) => ({
          late: swarm.snapshot(),
          now: [...swarm.snapshot()]
        }))
        const victim = cluster.nodes[random.below(5)] as ClusterNode
        if (!victim.alive) cluster.restart(victim)
        else if (random.chance(0.4) && live.length > 3) cluster.crash(victim)
        cluster.run(random.below(1_500))
        for (const { late, now } of held)
          assert.deepEqual(
            [...late],
            now,
            'what is read later is of the time when it was asked for'
          )
        for (const node of cluster.nodes) {
          if (!node.alive) continue
          compare(cluster, node, `seed ${seed}, round ${round}, node ${node.index}`)
          const journal = [...node.disk, ...node.unsynced]
          for (const { type } of journal) seen.add(type)
          dropped = Math.max(dropped, journal.length - [...node.swarm.snapshot()].length)
        }
      }
    })
  }

  it('has seen what binds, and left out something', () => {
    for (const type of ['join', 'chosen', 'lock', 'hard-state', 'entries', 'learned', 'tombstone'])
      assert.ok(seen.has(type), `no ${type} in any journal`)
    assert.ok(dropped > 50)
  })
})
