// Goal: a thread is forgotten only where nothing came of it and the node only watched. Method: real threads of a virtual network, as each node archives them.
import assert from 'node:assert/strict'
import { uncertifiedEnd } from '../../../src/node/uncertified-end.ts'
import { encodeArchived } from '../../../src/runtime/index.ts'
import { RECORDS } from '../../support/sample-records.ts'
import { type ClusterNode, SwarmCluster } from '../../support/swarm-cluster.ts'

const DAY_MS = 86_400_000

describe('node/uncertified-end', function () {
  this.timeout(30_000)

  /** A NEED, and what each node has of it in the archive after two days. */
  function archived(count: number): { nodes: readonly ClusterNode[]; thread: string } {
    const cluster = new SwarmCluster({ nodes: count, seed: 5 })
    const requester = cluster.nodes[0] as ClusterNode
    const id = cluster.command(requester, { type: 'state-need', draft: cluster.need() })
    cluster.run(1)
    const { value } = requester.replies.get(id) as { value: { envelope: string } }
    const thread = value.envelope
    const isArchived = (): boolean => cluster.nodes.every(({ archive }) => archive.has(thread))
    assert.ok(cluster.runUntil(isArchived, 2 * DAY_MS), 'every node archives it')
    return { nodes: cluster.nodes, thread }
  }

  function endOf({ archive, did }: ClusterNode, thread: string) {
    const kept = archive.get(thread)
    assert.ok(kept !== undefined)
    return { ...uncertifiedEnd(encodeArchived(kept), did), kept }
  }

  it('is idle for who watched a NEED for which there were no voters, and not for its requester', () => {
    const { nodes, thread } = archived(3)
    const ends = nodes.map(node => endOf(node, thread))
    assert.deepEqual(
      ends.map(({ isIdle }) => isIdle),
      nodes.map((_, at) => at > 0)
    )
    for (const { endedAt, kept } of ends) assert.equal(endedAt, kept.summary.expiresAt)
  })

  it('is not idle where there was a group, nor of any record that says what this node did', () => {
    const { nodes, thread } = archived(6)
    for (const node of nodes) assert.equal(endOf(node, thread).isIdle, false)
    const { summary } = endOf(nodes[0] as ClusterNode, thread).kept
    for (const record of Object.values(RECORDS)) {
      const { isIdle } = uncertifiedEnd(encodeArchived({ summary, records: [record] }), 'did:key:a')
      assert.equal(isIdle, ['learned', 'abandoned', 'warned'].includes(record.type), record.type)
    }
    const unknown = { thread, openedAt: 1, summary: Uint8Array.of(1), records: [] }
    assert.equal(uncertifiedEnd(unknown, 'did:key:a').isIdle, false)
  })
})
