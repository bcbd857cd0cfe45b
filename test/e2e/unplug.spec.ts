// Goal: every part is wired (R21). Method: one job, on whole nodes and on nodes that lack one part; without it must fail, say why, and not hang.
import assert from 'node:assert/strict'
import { PARTS } from '../../src/config/index.ts'
import type { Testnet } from '../../src/testnet/index.ts'
import { END_WITHIN_MS, endOf, startTestnet, stateNeed, stopTestnet } from '../support/testnet.ts'

/** The healthy job needs two seconds. */
const TTL_MS = 4000

type End = { readonly phase: string; readonly reason: string }

describe('e2e/unplug', () => {
  let testnet: Testnet | null = null
  afterEach(async () => {
    await stopTestnet(testnet)
    testnet = null
  })

  const jobWithout = async (unplug?: string): Promise<End> => {
    testnet = await startTestnet({ nodes: 4, ...(unplug && { unplug }) })
    try {
      const thread = await stateNeed(testnet.first, { ttlMs: TTL_MS })
      return await endOf(testnet.first, thread, TTL_MS + END_WITHIN_MS)
    } catch (error) {
      // Some parts are missed as early as when the NEED is stated.
      return { phase: 'none', reason: (error as Error).message }
    }
  }

  it('the job passes on whole nodes', async () => {
    const { phase, reason } = await jobWithout()
    assert.equal(phase, 'FINAL', reason)
  })

  for (const part of PARTS) {
    it(`the job fails without ${part}`, async () => {
      const { phase, reason } = await jobWithout(part)
      assert.notEqual(phase, 'FINAL')
      assert.doesNotMatch(reason, /did not get there/u)
      assert.ok(reason.length > 10, `a reason is given: ${reason}`)
    })
  }
})
