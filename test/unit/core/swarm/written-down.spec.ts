/**
 * Goal: whatever strangers say, a node can read back what it wrote because of it (R13): a record that it refuses at its next start would end it for good.
 * Method: worlds whose records go through the real codec, with the longest texts that the door and the wire let through.
 */
import { strict as assert } from 'node:assert'
import {
  ENTRIES_PER_THREAD_MAX,
  ENVELOPE_BYTES_MAX,
  TEXT_LENGTH_MAX
} from '../../../../src/core/base/index.ts'
import type { LogEntry } from '../../../../src/core/raft/index.ts'
import type { PeerMessage } from '../../../../src/core/swarm/index.ts'
import { JournalImage } from '../../../../src/core/swarm/journal-image.ts'
import { LOG_INDEX_MAX } from '../../../../src/core/swarm/member.ts'
import { stateNeed } from '../../../support/swarm-attacks.ts'
import { type ClusterNode, SwarmCluster } from '../../../support/swarm-cluster.ts'

/** What fits well into one record of the journal, which refuses more than 64 MiB. */
const RECORD_BYTES = 2 * 1024 * 1024

function restarted(cluster: SwarmCluster, node: ClusterNode): void {
  cluster.crash(node, node.unsynced.length)
  cluster.restart(node)
}

describe('core/swarm: what is written down because of strangers', () => {
  it('a member that sealed a slot of the longest name starts again', () => {
    const cluster = new SwarmCluster({ nodes: 4, seed: 2, encoded: true })
    const slot = 's'.repeat(TEXT_LENGTH_MAX)
    const thread = stateNeed(cluster, { slot, expiresAt: cluster.nowMs + 60_000 })
    const [requester, member] = cluster.nodes as [ClusterNode, ClusterNode]
    assert(cluster.runUntil(() => member.swarm.view(thread)?.group != null, 10_000))
    cluster.input(member, {
      kind: 'message',
      nowMs: cluster.nowMs,
      from: requester.did,
      message: { type: 'seal-ask', thread, epoch: 0 }
    })
    assert(member.disk.some(record => record.type === 'sealed' && record.slot.endsWith(slot)))
    restarted(cluster, member)
    assert.notEqual(member.swarm.view(thread), undefined)
  })

  for (const [name, answers] of [
    ['does not join', 'bind'],
    ['does not seal', 'seal-ask']
  ] as const) {
    it(`a requester whose member ${name}, and says so at length, starts again`, () => {
      const cluster = new SwarmCluster({ nodes: 4, seed: 2, encoded: true })
      const [requester, ...others] = cluster.nodes as [ClusterNode, ...ClusterNode[]]
      for (const liar of others)
        liar.malice = {
          send: (_, message): readonly PeerMessage[] => {
            const isAnswer = message.type === (answers === 'bind' ? 'join' : 'sealed')
            if (!isAnswer) return [message]
            const { thread, epoch } = message
            return [{ type: 'decline', thread, epoch, reason: '☃'.repeat(4096) }]
          }
        }
      const thread = stateNeed(cluster, { expiresAt: cluster.nowMs + 20_000 })
      cluster.run(2_000)
      if (answers === 'seal-ask') cluster.command(requester, { type: 'reform', thread })
      const isOver = (): boolean => cluster.view(requester, thread).phase === 'EXPIRED'
      assert(cluster.runUntil(isOver, 60_000))
      assert.match(cluster.view(requester, thread).reason, /☃/u)
      restarted(cluster, requester)
      assert.equal(cluster.view(requester, thread).phase, 'EXPIRED')
    })
  }

  it('the longest log is in a compacted journal in parts that can be read', () => {
    const image = new JournalImage()
    const data = new Uint8Array(ENVELOPE_BYTES_MAX)
    const entries = Array.from(
      { length: LOG_INDEX_MAX },
      (_, at): LogEntry => ({
        term: 1,
        index: at + 1,
        data: data.subarray(at % 2 === 0 ? 65_000 : 0)
      })
    )
    assert(entries.length > ENTRIES_PER_THREAD_MAX)
    image.note({ type: 'entries', group: 'g', entries })
    const again = new JournalImage()
    for (const record of image.records([])) {
      assert(record.type === 'entries' && record.entries.length <= ENTRIES_PER_THREAD_MAX)
      const bytes = record.entries.reduce((sum, entry) => sum + entry.data.length, 0)
      assert(bytes <= RECORD_BYTES, `a record has ${bytes} bytes`)
      again.note(record)
    }
    const read = [...again.records([])].flatMap(record =>
      record.type === 'entries' ? record.entries : []
    )
    assert.equal(read.length, entries.length)
    assert(read.every((entry, at) => entry === entries[at]))
  })
})
