/**
 * Goal: never two DECIDEs for one slot and epoch, and never two outcomes, whatever the network and the nodes do (P1, P2, P6). Method:
 * seeded worlds with loss, one-way partitions, crashes that lose unsynced writes and restarts; then faults stop and every thread must end.
 */
import { strict as assert } from 'node:assert'
import { toHex } from '../../../../src/core/base/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

const SEEDS = 40

function world(seed: number): { cluster: SwarmCluster; thread: string } {
  const cluster = new SwarmCluster({ nodes: 6, seed, delayMsMax: 30 })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1 || index === 2, verifies: index >= 2 })
  const requester = cluster.nodes[0] as ClusterNode
  const id = cluster.command(requester, { type: 'state-need', draft: cluster.need() })
  cluster.run(1)
  return {
    cluster,
    thread: (requester.replies.get(id) as { value: { envelope: string } }).value.envelope
  }
}

function disturb(cluster: SwarmCluster): void {
  const { random } = cluster
  cluster.loss = random.pick([0, 0.05, 0.3])
  for (let round = 0; round < 8; round++) {
    const victim = random.pick(cluster.nodes)
    if (random.chance(0.5)) {
      if (victim.alive) cluster.crash(victim)
      else cluster.restart(victim)
    } else {
      const other = random.pick(cluster.nodes)
      cluster.linked = (from, to) => !(from === victim && to === other)
    }
    cluster.run(random.below(600))
  }
  cluster.loss = 0
  cluster.linked = () => true
  for (const node of cluster.nodes) if (!node.alive) cluster.restart(node)
}

function digests(cluster: SwarmCluster, thread: string, verb: string): Set<string> {
  const found = new Set<string>()
  for (const node of cluster.nodes) {
    for (const { id, verb: said } of node.swarm.view(thread)?.envelopes ?? []) {
      if (said !== verb) continue
      const payload = node.swarm.envelope(thread, id)?.envelope.payload as {
        certificate: { digest: Uint8Array }
      }
      found.add(toHex(payload.certificate.digest))
    }
  }
  return found
}

describe('core/swarm: faults', () => {
  it(`decides once and ends everywhere in ${SEEDS} seeded worlds`, function () {
    this.timeout(60_000)
    const phases = new Map<string, number>()
    for (let seed = 0; seed < SEEDS; seed++) {
      const { cluster, thread } = world(seed)
      disturb(cluster)
      const ended = (): boolean =>
        cluster.nodes.every(node =>
          ['FINAL', 'INVALID', 'EXPIRED'].includes(node.swarm.view(thread)?.phase ?? 'EXPIRED')
        )
      assert(
        cluster.runUntil(ended, 120_000),
        `seed ${seed}: ${JSON.stringify(cluster.nodes.map(node => [node.swarm.view(thread)?.phase, node.swarm.view(thread)?.reason]))}`
      )
      cluster.run(10_000)
      assert(digests(cluster, thread, 'DECIDE').size <= 1, `seed ${seed}: one DECIDE`)
      const outcomes = new Set([
        ...digests(cluster, thread, 'FINALIZE'),
        ...digests(cluster, thread, 'INVALIDATE')
      ])
      assert(outcomes.size <= 1, `seed ${seed}: one outcome`)
      const certified = cluster.nodes.filter(
        node => node.swarm.view(thread)?.finalize !== null && node.swarm.view(thread) !== undefined
      )
      for (const node of certified)
        assert(
          node.swarm.record(thread)?.complete,
          `seed ${seed}: node ${node.index} has the whole record; ${JSON.stringify(cluster.view(node, thread).warnings)}`
        )
      const phase = cluster.nodes[0]?.swarm.view(thread)?.phase ?? 'lost'
      phases.set(phase, (phases.get(phase) ?? 0) + 1)
    }
    assert(
      (phases.get('FINAL') ?? 0) > SEEDS / 2,
      `most worlds reach FINAL: ${JSON.stringify([...phases])}`
    )
  })
})
