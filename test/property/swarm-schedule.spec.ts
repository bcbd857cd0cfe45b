/**
 * Goal: a tick looks at the threads that have something to do, and that makes no difference to what the node does. Method: every node is two machines with the
 * same inputs and the same randomness, one of which looks at all threads in every tick; their effects must be equal at every step, in seeded worlds with loss,
 * partitions, crashes and clocks that jump.
 */
import { strict as assert } from 'node:assert'
import {
  type Effect,
  type Input,
  type JournalRecord,
  Swarm,
  type SwarmInit
} from '../../src/core/swarm/index.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { script } from '../support/swarm-agents.ts'
import { type ClusterNode, SwarmCluster } from '../support/swarm-cluster.ts'

const SEEDS = 15

class NaiveSwarm extends Swarm {
  protected override threadsOfTick<T>(_due: readonly T[], all: Iterable<T>): Iterable<T> {
    return [...all]
  }
}

/** A machine with a twin that does it the simple way. */
class Twins extends Swarm {
  readonly #naive: Swarm
  steps = 0

  constructor(init: SwarmInit, seed: number) {
    const randoms = [seededRandom(seed), seededRandom(seed)]
    super({ ...init, random: below => randoms[0]?.below(below) ?? 0 })
    this.#naive = new NaiveSwarm({ ...init, random: below => randoms[1]?.below(below) ?? 0 })
  }

  override restore(record: JournalRecord): void {
    super.restore(record)
    this.#naive.restore(record)
  }
  override start(nowMs: number): readonly Effect[] {
    return this.#same(super.start(nowMs), this.#naive.start(nowMs), 'start')
  }
  override step(input: Input): readonly Effect[] {
    return this.#same(super.step(input), this.#naive.step(input), input.kind)
  }
  #same(effects: readonly Effect[], naive: readonly Effect[], what: string): readonly Effect[] {
    assert.deepEqual(effects, naive, what)
    this.steps += 1
    return effects
  }
}

function world(seed: number): SwarmCluster {
  let machines = 0
  const cluster = new SwarmCluster({
    nodes: 6,
    seed,
    delayMsMax: 30,
    machine: init => new Twins(init, seed * 100 + machines++)
  })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1 || index === 2, verifies: index >= 2 })
  return cluster
}

function disturb(cluster: SwarmCluster): void {
  const { random } = cluster
  cluster.loss = random.pick([0, 0.05, 0.3])
  for (let round = 0; round < 8; round++) {
    const victim = random.pick(cluster.nodes)
    if (random.chance(0.4)) {
      if (victim.alive) cluster.crash(victim)
      else cluster.restart(victim)
    } else if (random.chance(0.3)) {
      victim.skewMs = random.below(6_000) - 3_000
    } else {
      const other = random.pick(cluster.nodes)
      cluster.linked = (from, to) => !(from === victim && to === other)
    }
    cluster.run(random.below(600))
  }
  cluster.loss = 0
  cluster.linked = () => true
  for (const node of cluster.nodes) {
    node.skewMs = 0
    if (!node.alive) cluster.restart(node)
  }
}

describe('property: the schedule of threads', () => {
  it(`does in ${SEEDS} seeded worlds what looking at every thread in every tick does`, function () {
    this.timeout(120_000)
    let ended = 0
    for (let seed = 0; seed < SEEDS; seed++) {
      const cluster = world(seed)
      const requester = cluster.nodes[0] as ClusterNode
      for (const slot of ['a', 'b', 'c']) {
        cluster.command(requester, { type: 'state-need', draft: cluster.need({ slot }) })
        cluster.run(cluster.random.below(300))
      }
      disturb(cluster)
      cluster.run(40_000)
      for (const id of requester.swarm.threadIds()) {
        const phase = requester.swarm.view(id)?.phase
        if (phase === 'FINAL' || phase === 'EXPIRED' || phase === 'INVALID') ended += 1
      }
    }
    assert(ended >= SEEDS, `threads came to their end: ${ended}`)
  })
})
