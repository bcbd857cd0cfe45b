// Which peers are remembered for threads that are not followed yet.
import assert from 'node:assert/strict'
import { PlanOffers } from '../../../src/runtime/plan-offers.ts'

describe('runtime/plan-offers', () => {
  it('gives the peers of a thread once', () => {
    const offers = new PlanOffers()
    for (const peer of ['a', 'b', 'a']) offers.add(peer, 'thread')
    assert.deepEqual([...offers.take('thread')], ['a', 'b'])
    assert.deepEqual([...offers.take('thread')], [])
  })

  it('forgets the oldest of a peer that offers many, and nothing of others', () => {
    const offers = new PlanOffers()
    offers.add('honest', 'thread')
    for (let at = 0; at < 1_000; at++) offers.add('loud', `made up ${at}`)
    assert.deepEqual([...offers.take('thread')], ['honest'])
    assert.deepEqual([...offers.take('made up 967')], [])
    assert.deepEqual([...offers.take('made up 968')], ['loud'])
  })

  it('has room for what comes after many peers offered many', () => {
    const offers = new PlanOffers()
    for (let at = 0; at < 1_000; at++) offers.add(`peer ${at % 20}`, `made up ${at}`)
    offers.add('honest', 'thread')
    assert.deepEqual([...offers.take('made up 0')], [])
    assert.deepEqual([...offers.take('thread')], ['honest'])
  })

  it('forgets a peer that left', () => {
    const offers = new PlanOffers()
    offers.add('a', 'thread')
    offers.add('b', 'thread')
    offers.leave('a')
    assert.deepEqual([...offers.take('thread')], ['b'])
  })
})
