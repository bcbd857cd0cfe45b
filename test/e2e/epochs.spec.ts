/**
 * Goal: a NEED outlives its group over real processes, with the decision that it made (R11). Method: while the decided worker is at it, a member is killed and
 * the user asks for a new epoch; the end, the certificate and the record of the survivors are looked at.
 */
import assert from 'node:assert/strict'
import { replayRecord } from '../../src/replay/index.ts'
import type { Testnet } from '../../src/testnet/index.ts'
import { HeldWork } from '../support/held-work.ts'
import {
  endOf,
  nodeOf,
  startTestnet,
  stateNeed,
  stopTestnet,
  viewWhen
} from '../support/testnet.ts'

describe('e2e/epochs', () => {
  let testnet: Testnet
  before(async () => {
    testnet = await startTestnet({ nodes: 6 })
  })
  after(() => stopTestnet(testnet))

  it('goes on in a new epoch with the decision of the old one, and without the member that is gone', async () => {
    const { first } = testnet
    const worker = testnet.nodes[1]
    assert.ok(worker)
    const work = await HeldWork.start(testnet, worker)
    try {
      const thread = await stateNeed(first, { capability: work.capability, ttlMs: 60_000 })
      await work.started()
      const before = await viewWhen(first, thread, view => view.lease !== null)
      assert.equal(before.epoch, 0)
      const lost = before.group?.roster.find(did => ![first, worker].some(one => one.hasDid(did)))
      const killed = nodeOf(testnet, lost)
      await killed.kill()
      const { epoch } = await first.client.call('need.reform', { thread })
      assert.equal(epoch, 1)
      const after = await viewWhen(first, thread, view => view.epoch === 1 && view.lease !== null)
      assert.equal(after.decide?.proposal, before.decide?.proposal)
      assert.ok(!after.group?.roster.includes(lost ?? ''))
      work.finish()
      for (const node of testnet.running) {
        const end = await endOf(node, thread)
        assert.deepEqual([end.phase, end.epoch], ['FINAL', 1], end.reason)
        const { path } = await node.client.call('thread.record', { thread })
        const report = await replayRecord(path)
        assert.deepEqual(report.problems, [])
      }
      await killed.start(new AbortController().signal)
      const late = await viewWhen(killed, thread, view => view.phase === 'FINAL')
      assert.equal(late.epoch, 1, 'who was away learns of the new epoch')
    } finally {
      await work.stop()
    }
  })
})
