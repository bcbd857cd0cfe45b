/**
 * Goal: a thread in which nothing happens takes little memory, and nobody notices anything else. Method: a group that has decided and waits for its
 * worker; then the same world twice, where threads rest in every tick and where they never do.
 */
import { strict as assert } from 'node:assert'
import type { Admitted, Verb } from '../../../../src/core/envelope/index.ts'
import { type PeerMessage, swarmDefaults } from '../../../../src/core/swarm/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import { type ClusterInit, type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

const CLUSTER: ClusterInit = { nodes: 5, seed: 11 }

type Scene = {
  readonly cluster: SwarmCluster
  readonly nodes: readonly ClusterNode[]
  readonly thread: string
  /** From now on the worker works. */
  readonly work: () => void
}

/** A NEED that is decided, and a worker that takes its time. */
function decided(init: ClusterInit = CLUSTER): Scene {
  const cluster = new SwarmCluster(init)
  const [requester, worker, ...verifiers] = cluster.nodes as [ClusterNode, ClusterNode]
  let works = false
  script(cluster, worker, { works: true, claims: () => works })
  for (const node of verifiers) script(cluster, node, { verifies: true })
  const id = cluster.command(requester, {
    type: 'state-need',
    draft: cluster.need({ expiresAt: cluster.nowMs + 60_000 })
  })
  cluster.run(1)
  const reply = requester.replies.get(id) as { ok: true; value: { envelope: string } }
  const thread = reply.value.envelope
  const isDecided = ({ swarm }: ClusterNode): boolean =>
    swarm.certificate(thread, 'decide') !== undefined &&
    (swarm.log(thread)?.entries.length ?? 0) > 2
  assert(cluster.runUntil(() => cluster.nodes.every(isDecided), 10_000))
  const work = (): void => {
    works = true
    worker.agent?.(worker, { type: 'thread', thread, phase: 'DECIDED', atMs: cluster.nowMs })
  }
  return { cluster, nodes: cluster.nodes, thread, work }
}

/** What a node has of a thread, in bytes, and what it tells of it. */
function held({ swarm }: ClusterNode, thread: string): unknown {
  return {
    record: swarm.record(thread),
    journal: [...swarm.snapshot()].filter(({ type }) => type === 'envelope' || type === 'entries'),
    view: swarm.view(thread),
    plan: swarm.planEntries(thread)
  }
}

/** What a node answers somebody who has nothing of the thread. */
function answer(node: ClusterNode, thread: string, from: string, nowMs: number): PeerMessage[] {
  const message = { type: 'pull', thread, have: [], group: null, entries: 0 } as const
  return node.swarm
    .step({ kind: 'message', nowMs, from, message })
    .flatMap(effect => (effect.kind === 'send' && effect.to === from ? [effect.message] : []))
}

function said({ swarm }: ClusterNode, thread: string, verb: Verb): readonly Admitted[] {
  return [...swarm.seen(thread)].flatMap(({ admitted }) =>
    admitted.envelope.verb === verb ? [admitted] : []
  )
}

/** Whether envelopes, and what is parsed of them, lie in these bytes and nowhere else. */
function isWithin(envelopes: readonly Admitted[], whole: readonly Uint8Array[]): boolean {
  const buffers = new Set(whole.map(({ buffer }) => buffer))
  return (
    envelopes.length > 0 &&
    envelopes.every(
      ({ bytes, envelope }) => buffers.has(bytes.buffer) && bytes.buffer === envelope.sig.buffer
    )
  )
}

describe('core/swarm: resting threads', () => {
  it('hold each envelope once and as bytes: proposals in the log, the FORM in the certificate', () => {
    const { cluster, nodes, thread } = decided()
    const before = nodes.map(node => said(node, thread, 'DECIDE').map(({ envelope }) => envelope))
    cluster.run(swarmDefaults.restMs + 1_000)
    for (const [at, node] of nodes.entries()) {
      const decides = said(node, thread, 'DECIDE')
      assert(decides.length > 0)
      for (const [nth, { envelope }] of decides.entries()) {
        assert.notEqual(envelope, before[at]?.[nth])
        assert.deepEqual(envelope, before[at]?.[nth])
      }
      const log = node.swarm.log(thread)?.entries.map(({ data }) => data) ?? []
      assert(isWithin(said(node, thread, 'PROPOSE'), log))
      const certificates = decides.map(({ bytes }) => bytes)
      assert(isWithin(said(node, thread, 'FORM'), certificates))
    }
  })

  it('show, export and serve to a pull what they did while they were awake', () => {
    const { cluster, nodes, thread } = decided()
    const ask = (): unknown =>
      nodes.map((node, at) =>
        answer(node, thread, (nodes[(at + 1) % nodes.length] as ClusterNode).did, cluster.nowMs)
      )
    cluster.run(1_000)
    const before = nodes.map(node => held(node, thread))
    const told = ask()
    cluster.run(swarmDefaults.restMs + 1_000)
    assert.deepEqual(ask(), told)
    assert.deepEqual(
      nodes.map(node => held(node, thread)),
      before
    )
  })

  it('go on when something comes', () => {
    const { cluster, nodes, thread, work } = decided()
    cluster.run(swarmDefaults.restMs + 1_000)
    work()
    const isOver = ({ swarm }: ClusterNode): boolean => swarm.record(thread)?.complete === true
    assert(cluster.runUntil(() => nodes.every(isOver), 20_000))
    for (const node of nodes) assert.equal(cluster.view(node, thread).phase, 'FINAL')
  })

  it('leave the same records at every node whether they rest in every tick or never', () => {
    const [often, never] = [0, Number.POSITIVE_INFINITY].map(restMs => {
      const { cluster, nodes, thread, work } = decided({ ...CLUSTER, settings: { restMs } })
      work()
      const isOver = ({ swarm }: ClusterNode): boolean => swarm.record(thread)?.complete === true
      assert(cluster.runUntil(() => nodes.every(isOver), 20_000))
      return nodes.map(node => held(node, thread))
    })
    assert.deepEqual(often, never)
  })
})
