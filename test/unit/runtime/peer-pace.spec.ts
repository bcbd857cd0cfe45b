// How fast a peer may bring links of plans.
import assert from 'node:assert/strict'
import { PeerPace } from '../../../src/runtime/peer-pace.ts'

describe('runtime/peer-pace', () => {
  it('lets the longest session through at once, and 200 a second from then on', () => {
    const pace = new PeerPace()
    assert.equal(pace.spend('a', 16_384, 1e12), 0)
    assert.equal(pace.spend('a', 1_000, 1e12), 5_000)
    assert.equal(pace.spend('a', 1_000, 1e12 + 5_000), 5_000)
    assert.equal(pace.spend('b', 1_000, 1e12), 0)
  })

  it('gives back with time what was used, and never more', () => {
    const pace = new PeerPace()
    pace.spend('a', 16_384, 1e12)
    assert.equal(pace.spend('a', 16_384, 1e12 + 3600_000), 0)
    assert.equal(pace.spend('a', 200, 1e12 + 3600_000), 1_000)
  })

  it('costs nothing to whoever brings nothing', () => {
    const pace = new PeerPace()
    for (let i = 0; i < 1_000; i++) assert.equal(pace.spend('a', 0, 1e12), 0)
    assert.equal(pace.spend('a', 16_384, 1e12), 0)
  })
})
