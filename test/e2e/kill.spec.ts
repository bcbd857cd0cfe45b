// Goal: a job survives the death of any one node, or ends with a reason; nothing hangs. Method: kill -9 while three threads are at
// three points of their life, then look at every survivor, start the victim again and look at it too.
import assert from 'node:assert/strict'
import type { ThreadView } from '../../src/core/swarm/index.ts'
import { difference, type Testnet } from '../../src/testnet/index.ts'
import {
  END_WITHIN_MS,
  endOf,
  nodeOf,
  startTestnet,
  stateNeed,
  stopTestnet,
  viewWhen
} from '../support/testnet.ts'

const TTL_MS = 5000
/** The requester, a worker, and one that only verifies; all of them vote. Which of them leads or is decided differs from run to run. */
const VICTIMS = [0, 1, 4]

describe('e2e/kill', () => {
  let testnet: Testnet
  before(async () => {
    testnet = await startTestnet()
  })
  after(() => stopTestnet(testnet))

  for (const index of VICTIMS) {
    it(`goes on, or ends with a reason, when node-${index} is killed`, async () => {
      const victim = testnet.nodes[index]
      const witness = testnet.nodes[index === 4 ? 3 : 4]
      assert.ok(victim && witness)
      await testnet.connected()
      // Watched at the requester, which hears of each step at once; bystanders catch up every few seconds.
      // Challenge window of 3 s: still open at the kill. The others are killed at once.
      const verified = await stateNeed(testnet.first, {
        ttlMs: TTL_MS,
        windows: { challengeMs: 3000 }
      })
      await viewWhen(testnet.first, verified, view => view.phase === 'VERIFIED')
      const decided = await stateNeed(testnet.first, { ttlMs: TTL_MS })
      await viewWhen(testnet.first, decided, view => view.decide !== null)
      const stated = await stateNeed(testnet.first, { ttlMs: TTL_MS })
      await viewWhen(witness, stated, view => view.thread === stated)
      await victim.kill()

      try {
        for (const thread of [verified, decided, stated]) await assertEnds(testnet, thread)
      } finally {
        await victim.start(new AbortController().signal)
      }
      for (const thread of [verified, decided]) {
        const { phase } = await endOf(witness, thread)
        // Until it has heard of the end it shows what its own clock says: expired.
        await viewWhen(victim, thread, view => view.phase === phase)
      }
    })
  }

  it('finishes the job of a worker that is killed after the decision and comes back', async () => {
    await testnet.connected()
    const thread = await stateNeed(testnet.first, { ttlMs: 15_000 })
    const decide = await viewWhen(testnet.first, thread, view => view.decide?.certified === true)
    const worker = nodeOf(testnet, decide.decide?.worker)
    await worker.kill()
    await worker.start(new AbortController().signal)
    const view = await endOf(testnet.first, thread)
    assert.equal(view.phase, 'FINAL', view.reason)
    assert.equal(view.commit?.worker, worker.did)
  })
})

/** Every survivor ends the thread in time, with a reason, and those that have a certificate agree. */
async function assertEnds(testnet: Testnet, thread: string): Promise<void> {
  const views = await Promise.all(
    testnet.running.map(node => endOf(node, thread, TTL_MS + END_WITHIN_MS))
  )
  for (const view of views) assert.ok(view.reason.length > 10, `${view.phase} without a reason`)
  const certified = views.filter((view: ThreadView) => view.finalize !== null)
  const [first, ...others] = certified
  for (const other of others) assert.equal(first && difference(first, other), null)
}
