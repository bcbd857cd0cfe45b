// Goal: a peer pays for the work that its frames make. Method: a scripted plan store, and a clock that stands still.
import assert from 'node:assert/strict'
import { BANNED_MS } from '../../../src/adapters/libp2p/limits.ts'
import type { HeardPlan, PlanStore, PlanStreams } from '../../../src/ports/index.ts'
import { PeerPace, PlanSync } from '../../../src/runtime/index.ts'
import { encodePlanFrame } from '../../../src/runtime/plan-frame.ts'
import { PLAN_THREAD } from '../../support/plan-chains.ts'
import { ManualClock, silent, until } from '../../support/virtual-world.ts'

const FRAME = encodePlanFrame({ thread: PLAN_THREAD, message: new Uint8Array(9) }) as Uint8Array
const NOTHING: HeardPlan = { lie: null, envelopes: [], forks: [], compared: 0, folded: 0 }

describe('runtime/plan-sync', () => {
  const start = (heard: Partial<HeardPlan>) => {
    const clock = new ManualClock()
    const said: string[] = []
    let bannedUntil = -1
    let frame: (from: string, bytes: Uint8Array) => Promise<void> = async () => {}
    const plan = {
      hear: async () => ({ ...NOTHING, ...heard }),
      judged: async () => {},
      say: async () => ({ message: new Uint8Array(9), more: false }),
      reopen: async () => {},
      forget: async () => {}
    } as unknown as PlanStore
    const streams: PlanStreams = {
      send: async peer => {
        said.push(peer)
      },
      onFrame: listener => {
        frame = listener
      },
      ban: () => {
        bannedUntil = clock.nowMs() + BANNED_MS
      },
      isBanned: () => clock.nowMs() < bannedUntil
    }
    const sync = new PlanSync({
      plan,
      streams,
      door: { admit: async () => ({ verdict: 'accept' }) },
      pace: new PeerPace(),
      showFork: () => 0,
      settled: async () => {},
      isFollowed: () => true,
      shared: () => [PLAN_THREAD],
      clock,
      logger: silent
    })
    sync.start()
    return { clock, sync, said, hear: (from: string) => frame(from, FRAME) }
  }

  it('answers frames at once that make little work', async () => {
    const { hear } = start({ folded: 100 })
    for (let count = 0; count < 10; count++) await hear('peer')
  })

  for (const [what, heard] of Object.entries({
    'has documents folded': { folded: 16 * 10_000 },
    'sends changes that bring nothing': { compared: 2 * 10_000 }
  }))
    it(`lets a peer wait that ${what} again and again, and nobody else`, () => paysFor(heard))

  async function paysFor(heard: Partial<HeardPlan>): Promise<void> {
    const { clock, hear } = start(heard)
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
  }

  it('takes as many frames of a newcomer as bring a plan of 10,000 facts without letting it wait', async () => {
    const envelopes = new Array<Uint8Array>(313).fill(new Uint8Array(9))
    const { clock, hear } = start({ envelopes, compared: 313 })
    for (let count = 0; count < 40; count++) await hear('peer')
    await until(() => clock.timers === 0)
  })

  it('speaks again to a peer that lied once its time is over, and not before', async () => {
    const { clock, sync, said, hear } = start({ lie: 'a lie' })
    sync.onPeer('peer', true)
    await until(() => said.length === 1)
    await hear('peer')
    clock.advance(BANNED_MS - 1)
    assert.equal(said.length, 1)
    clock.advance(60_000)
    await until(() => said.length === 2)
    sync.stop()
    assert.equal(clock.timers, 0)
  })

  it('looks no more after a peer that lied and has left', async () => {
    const { clock, sync, hear } = start({ lie: 'a lie' })
    sync.onPeer('peer', true)
    await hear('peer')
    assert.equal(clock.timers, 1)
    sync.onPeer('peer', false)
    assert.equal(clock.timers, 0)
  })
})
