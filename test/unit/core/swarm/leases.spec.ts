/**
 * Goal: an expired lease or an old fencing token cannot commit (P4, R15). Method: a worker that claims and falls silent loses its lease in log
 * time, claims again, and then both tokens are tried.
 */
import { strict as assert } from 'node:assert'
import { CID } from '../../../../src/core/codec/index.ts'
import { compareFence, type Fence, type Payload } from '../../../../src/core/envelope/index.ts'
import { script } from '../../../support/swarm-agents.ts'
import {
  type ClusterNode,
  OUTPUT,
  SwarmCluster,
  testDraft
} from '../../../support/swarm-cluster.ts'

function silentWorker(): { cluster: SwarmCluster; thread: string; worker: ClusterNode } {
  const cluster = new SwarmCluster({ nodes: 5, seed: 9 })
  const [requester, worker, verifier] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode]
  script(cluster, worker, { works: true, commits: false })
  script(cluster, verifier, { verifies: true })
  const id = cluster.command(requester, { type: 'state-need', draft: cluster.need() })
  cluster.run(10)
  const thread = (requester.replies.get(id) as { value: { envelope: string } }).value.envelope
  return { cluster, thread, worker }
}

function fenceAt(cluster: SwarmCluster, node: ClusterNode, thread: string): Fence | null {
  return cluster.view(node, thread).lease?.fence ?? null
}

/** A COMMIT that a worker would not be allowed to publish by its own node. */
function forceCommit(
  cluster: SwarmCluster,
  worker: ClusterNode,
  thread: string,
  fence: Fence
): void {
  const task = CID.parse(cluster.view(worker, thread).decide?.proposal ?? '')
  const telemetry = {
    tokens: 0,
    cost: 1n,
    wallMs: 1,
    exitStatus: 0,
    tool: 't',
    model: '',
    zone: ''
  }
  const payload: Payload<'COMMIT'> = { task, outputs: [OUTPUT], verifyBounty: 10n, telemetry }
  const draft = {
    ...testDraft(cluster.nowMs, 'COMMIT', CID.parse(thread), payload),
    epoch: 0,
    fence
  }
  const admitted = cluster.seal(worker.keys, draft as typeof draft & { fence: Fence }, 1_000_000)
  for (const node of cluster.nodes)
    cluster.input(node, { kind: 'envelope', nowMs: cluster.nowMs, admitted, local: false })
}

describe('core/swarm: leases', () => {
  it('loses a silent lease and gives the next claim a higher token', () => {
    const { cluster, thread, worker } = silentWorker()
    assert(cluster.runUntil(() => fenceAt(cluster, worker, thread) !== null, 5_000))
    const first = fenceAt(cluster, worker, thread) as Fence
    assert(
      cluster.runUntil(() => fenceAt(cluster, worker, thread) === null, 5_000),
      'the lease is scavenged'
    )
    assert(
      cluster.runUntil(() => fenceAt(cluster, worker, thread) !== null, 5_000),
      'and claimed again'
    )
    assert(compareFence(fenceAt(cluster, worker, thread) as Fence, first) > 0)
  })

  it('finds a COMMIT with the old token void and one with the new token good, at every node', () => {
    const { cluster, thread, worker } = silentWorker()
    assert(cluster.runUntil(() => fenceAt(cluster, worker, thread) !== null, 5_000))
    const old = fenceAt(cluster, worker, thread) as Fence
    assert(cluster.runUntil(() => fenceAt(cluster, worker, thread) === null, 5_000))
    assert(cluster.runUntil(() => fenceAt(cluster, worker, thread) !== null, 5_000))
    forceCommit(cluster, worker, thread, old)
    cluster.run(300)
    for (const node of cluster.nodes) assert.equal(cluster.view(node, thread).commit, null)
    script(cluster, worker, { works: true, commits: true })
    assert(
      cluster.runUntil(
        () => cluster.nodes.every(node => node.swarm.view(thread)?.phase === 'FINAL'),
        20_000
      )
    )
  })

  it('finds a COMMIT after the lease ran out void', () => {
    const { cluster, thread, worker } = silentWorker()
    assert(cluster.runUntil(() => fenceAt(cluster, worker, thread) !== null, 5_000))
    const fence = fenceAt(cluster, worker, thread) as Fence
    worker.agent = null
    assert(cluster.runUntil(() => fenceAt(cluster, worker, thread) === null, 5_000))
    forceCommit(cluster, worker, thread, fence)
    cluster.run(300)
    for (const node of cluster.nodes) assert.equal(cluster.view(node, thread).commit, null)
  })

  it('expires with the reason when the worker never comes back', () => {
    const { cluster, thread, worker } = silentWorker()
    assert(cluster.runUntil(() => fenceAt(cluster, worker, thread) !== null, 5_000))
    cluster.crash(worker)
    const others = cluster.nodes.filter(node => node !== worker)
    assert(
      cluster.runUntil(
        () => others.every(node => node.swarm.view(thread)?.phase === 'EXPIRED'),
        40_000
      )
    )
    assert.match(cluster.view(others[0] as ClusterNode, thread).reason, /lost its lease/u)
  })
})
