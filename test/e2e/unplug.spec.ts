// Goal: every part is wired (R21). Method: one job, on whole nodes and on nodes that lack one part; without it must fail, say why, and not hang.
import assert from 'node:assert/strict'
import { PARTS } from '../../src/config/index.ts'
import type { Testnet } from '../../src/testnet/index.ts'
import { END_WITHIN_MS, endOf, startTestnet, stateNeed, stopTestnet } from '../support/testnet.ts'

/** The healthy job needs two seconds; one that must pass may take longer on a loaded machine. */
const TTL_MS = 4000
const HEALTHY_TTL_MS = 20_000
/** What gossip does not bring is pulled some seconds later, at times before the NEED expires: gossip is missed where nothing is pulled. */
const PULLED = 'gossip'

type End = { readonly phase: string; readonly reason: string }

describe('e2e/unplug', () => {
  let testnet: Testnet | null = null
  afterEach(async () => {
    await stopTestnet(testnet)
    testnet = null
  })

  const jobWithout = async (unplug = '', ttlMs = TTL_MS): Promise<End> => {
    testnet = await startTestnet({ nodes: 4, unplug })
    try {
      const thread = await stateNeed(testnet.first, { ttlMs })
      return await endOf(testnet.first, thread, ttlMs + END_WITHIN_MS)
    } catch (error) {
      // Some parts are missed as early as when the NEED is stated.
      return { phase: 'none', reason: (error as Error).message }
    }
  }

  it('the job passes on whole nodes', async () => {
    const { phase, reason } = await jobWithout('', HEALTHY_TTL_MS)
    assert.equal(phase, 'FINAL', reason)
  })

  it('the job passes by gossip where nothing is pulled', async () => {
    const { phase, reason } = await jobWithout('pull', HEALTHY_TTL_MS)
    assert.equal(phase, 'FINAL', reason)
  })

  for (const part of PARTS) {
    it(`the job fails without ${part}`, async () => {
      const { phase, reason } = await jobWithout(part === PULLED ? `${part},pull` : part)
      assert.notEqual(phase, 'FINAL')
      assert.doesNotMatch(reason, /did not get there/u)
      assert.ok(reason.length > 10, `a reason is given: ${reason}`)
    })
  }
})
