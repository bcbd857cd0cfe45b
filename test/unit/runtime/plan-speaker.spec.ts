// What plan sync says to whom, and what it does when a peer was cut off. Method: a store and streams of this test's own, and a clock that is set.
import assert from 'node:assert/strict'
import { manualClock } from '../../../src/adapters/memory/index.ts'
import { PlanSpeaker } from '../../../src/runtime/plan-speaker.ts'
import { until } from '../../support/virtual-world.ts'

const RETRY_MS = 2_000

describe('runtime/plan-speaker', () => {
  /** Messages left of each thread. */
  let left: Map<string, number>
  let events: string[]
  let clock: ReturnType<typeof manualClock>
  let speaker: PlanSpeaker
  /** What happens to a message under way. */
  let deliver: () => Promise<void>

  beforeEach(() => {
    left = new Map()
    events = []
    clock = manualClock()
    deliver = async () => undefined
    speaker = new PlanSpeaker({
      clock,
      say: async thread => {
        const count = left.get(thread) ?? 0
        if (count === 0) return { message: null, more: false }
        left.set(thread, count - 1)
        return { message: Uint8Array.of(count), more: count > 1 }
      },
      send: async (peer, thread) => {
        events.push(`${peer} ${thread}`)
        await deliver()
      },
      reopen: async peer => void events.push(`reopen ${peer}`)
    })
  })

  it('says one thing at a time to each peer, and a large plan does not hold up small ones', async () => {
    left = new Map([
      ['large', 4],
      ['small', 1]
    ])
    const waiting: (() => void)[] = []
    deliver = () => new Promise(resolve => waiting.push(resolve))
    speaker.meet('peer')
    speaker.tell('peer', 'large')
    speaker.tell('peer', 'small')
    for (let said = 1; said <= 5; said++) {
      await until(() => waiting.length === 1)
      assert.equal(events.length, 1 + said, 'the next one waits until this one was handled')
      waiting.shift()?.()
    }
    await until(() => speaker.said === 5)
    const order = events.slice(1)
    assert.deepEqual(
      order,
      ['large', 'small', 'large', 'large', 'large'].map(t => `peer ${t}`)
    )
  })

  it('begins the talk anew with a peer that was cut off, and goes on', async () => {
    left.set('plan', 3)
    let sent = 0
    deliver = async () => {
      if (++sent === 2) throw new TypeError('the stream ended')
    }
    speaker.meet('peer')
    speaker.tell('peer', 'plan')
    await until(() => events.length === 4)
    assert.deepEqual(events, ['reopen peer', 'peer plan', 'peer plan', 'reopen peer'])
    clock.advance(RETRY_MS)
    await until(() => speaker.said === 2)
    assert.equal(events.at(-1), 'peer plan')
    // A peer that is there again is told from the beginning what it may have missed.
    speaker.leave('peer')
    speaker.meet('peer')
    assert.equal(events.at(-1), 'reopen peer')
  })

  it('leaves a peer alone that cannot be reached, until it comes back', async () => {
    left.set('plan', 100)
    deliver = async () => {
      throw new TypeError('unreachable')
    }
    speaker.meet('peer')
    speaker.tell('peer', 'plan')
    const tries = (): number => events.filter(event => event === 'peer plan').length
    for (let attempt = 1; attempt <= 6; attempt++) {
      await until(() => events.length === 1 + 2 * attempt)
      clock.advance(RETRY_MS)
    }
    assert.equal(tries(), 6)
    clock.advance(100 * RETRY_MS)
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(tries(), 6)
    deliver = async () => undefined
    speaker.meet('peer')
    speaker.tell('peer', 'plan')
    await until(() => speaker.said > 0)
  })

  it('says nothing to those who left, nor after its end', async () => {
    left.set('plan', 5)
    speaker.tell('stranger', 'plan')
    speaker.meet('peer')
    deliver = async () => speaker.leave('peer')
    speaker.tell('peer', 'plan')
    await until(() => events.length === 2)
    speaker.meet('peer')
    speaker.stop()
    speaker.tell('peer', 'plan')
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(events, ['reopen peer', 'peer plan', 'reopen peer'])
  })
})
