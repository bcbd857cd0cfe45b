import { strict as assert } from 'node:assert'
import type { Admitted, Verb } from '../../src/core/envelope/index.ts'
import { script } from './swarm-agents.ts'
import { stateNeed } from './swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from './swarm-cluster.ts'

/** A finished thread of two epochs, as the requester has it. */
export type TwoEpochs = {
  readonly cluster: SwarmCluster
  readonly node: ClusterNode
  readonly thread: string
  readonly need: Admitted<'NEED'>
  /** FORMs of both epochs. */
  readonly forms: readonly [Admitted<'FORM'>, Admitted<'FORM'>]
  /** The certified decisions of both epochs. */
  readonly decides: readonly [Admitted<'DECIDE'>, Admitted<'DECIDE'>]
  readonly finalize: Admitted<'FINALIZE'>
}

/** A world in which a decided NEED was formed anew, its decision carried over, and finished. */
export function twoEpochs(seed = 3): TwoEpochs {
  const cluster = new SwarmCluster({ nodes: 6, seed })
  for (const [index, node] of cluster.nodes.entries())
    script(cluster, node, { works: index === 1, verifies: index >= 2, claims: epoch => epoch > 0 })
  const node = cluster.nodes[0] as ClusterNode
  const thread = stateNeed(cluster)
  const isDecided = (): boolean =>
    cluster.nodes.every(each => each.swarm.view(thread)?.decide?.certified === true)
  assert(cluster.runUntil(isDecided, 20_000), 'the thread is decided everywhere')
  cluster.command(node, { type: 'reform', thread })
  const complete = (): boolean =>
    cluster.nodes.every(each => each.swarm.record(thread)?.complete === true)
  assert(cluster.runUntil(complete, 20_000), 'the thread is complete everywhere')
  const all = <V extends Verb>(verb: V): Admitted<V>[] =>
    cluster
      .view(node, thread)
      .envelopes.filter(envelope => envelope.verb === verb)
      .map(({ id }) => node.swarm.envelope(thread, id) as Admitted<V>)
      .sort((a, b) => (a.envelope.epoch ?? 0) - (b.envelope.epoch ?? 0))
  const firstOf = <V extends 'FORM' | 'DECIDE'>(verb: V, epoch: number): Admitted<V> => {
    const found = all(verb).find(({ envelope }) => envelope.epoch === epoch)
    assert(found !== undefined, `there is a ${verb} of epoch ${epoch}`)
    return found
  }
  return {
    cluster,
    node,
    thread,
    need: all('NEED')[0] as Admitted<'NEED'>,
    forms: [firstOf('FORM', 0), firstOf('FORM', 1)],
    decides: [firstOf('DECIDE', 0), firstOf('DECIDE', 1)],
    finalize: all('FINALIZE')[0] as Admitted<'FINALIZE'>
  }
}
