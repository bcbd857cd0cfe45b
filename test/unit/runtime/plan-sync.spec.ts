// Goal: a peer pays for the work that its frames make. Method: a scripted plan store, and a clock that stands still.
import assert from 'node:assert/strict'
import type { HeardPlan, PlanStore, PlanStreams } from '../../../src/ports/index.ts'
import { PeerPace, PlanSync } from '../../../src/runtime/index.ts'
import { encodePlanFrame } from '../../../src/runtime/plan-frame.ts'
import { PLAN_THREAD } from '../../support/plan-chains.ts'
import { ManualClock, silent, until } from '../../support/virtual-world.ts'

const FRAME = encodePlanFrame({ thread: PLAN_THREAD, message: new Uint8Array(9) }) as Uint8Array
const NOTHING: HeardPlan = { lie: null, envelopes: [], forks: [], folded: 0 }

describe('runtime/plan-sync', () => {
  const start = (heard: Partial<HeardPlan>) => {
    const clock = new ManualClock()
    let frame: (from: string, bytes: Uint8Array) => Promise<void> = async () => {}
    const plan = {
      hear: async () => ({ ...NOTHING, ...heard }),
      judged: async () => {},
      forget: async () => {}
    } as unknown as PlanStore
    const streams: PlanStreams = {
      send: async () => {},
      onFrame: listener => {
        frame = listener
      },
      ban: () => {},
      isBanned: () => false
    }
    new PlanSync({
      plan,
      streams,
      door: { admit: async () => ({ verdict: 'accept' }) },
      pace: new PeerPace(),
      showFork: () => 0,
      settled: async () => {},
      isFollowed: () => true,
      shared: () => [],
      clock,
      logger: silent
    })
    return { clock, hear: (from: string) => frame(from, FRAME) }
  }

  it('answers frames at once that make little work', async () => {
    const { hear } = start({ folded: 100 })
    for (let count = 0; count < 10; count++) await hear('peer')
  })

  it('lets a peer wait that has documents folded again and again, and nobody else', async () => {
    const { clock, hear } = start({ folded: 16 * 10_000 })
    let answered = 0
    const frames = (async () => {
      for (let count = 0; count < 3; count++) {
        await hear('peer')
        answered++
      }
    })()
    await until(() => clock.timers > 0)
    assert.equal(answered, 2)
    await hear('other')
    clock.advance(60_000)
    await frames
  })
})
