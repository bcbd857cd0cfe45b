/**
 * Goal: a leader's picture of a follower survives late, repeated and lying answers. Method: one Progress, by hand.
 */
import assert from 'node:assert/strict'
import { INFLIGHT_APPENDS_MAX } from '../../../../src/core/raft/limits.ts'
import { Progress } from '../../../../src/core/raft/progress.ts'

function steady(match: number): Progress {
  const progress = new Progress(match + 1)
  progress.acknowledged(match)
  return progress
}

describe('core/raft/progress', () => {
  it('probes one append at a time until the first success', () => {
    const progress = new Progress(5)
    assert.equal(progress.isPaused, false)
    progress.sent(6, 2)
    assert.deepEqual([progress.mode, progress.isPaused, progress.next], ['probe', true, 5])
    progress.acknowledged(6)
    assert.deepEqual(
      [progress.mode, progress.isPaused, progress.next, progress.match],
      ['replicate', false, 7, 6]
    )
  })

  it('probes again after a sign of life', () => {
    const progress = new Progress(5)
    progress.sent(5, 1)
    progress.alive(10)
    assert.equal(progress.isPaused, false)
  })

  it('goes on probing when an old answer comes late', () => {
    const progress = new Progress(9)
    progress.acknowledged(3)
    assert.deepEqual([progress.mode, progress.match, progress.next], ['probe', 3, 9])
  })

  it('goes back to where a refusal points, always by at least one', () => {
    const progress = new Progress(9)
    progress.sent(9, 1)
    progress.refused(5)
    assert.deepEqual([progress.next, progress.isPaused], [6, false])
    progress.refused(4)
    assert.equal(progress.next, 5)
  })

  it('ignores a refusal of a probe that is no longer out', () => {
    const progress = new Progress(9)
    progress.refused(5)
    progress.sent(6, 1)
    progress.refused(5)
    progress.refused(8)
    assert.deepEqual([progress.next, progress.isPaused], [6, true])
  })

  it('never goes back behind what is acknowledged', () => {
    const progress = steady(4)
    progress.refused(2)
    assert.deepEqual([progress.mode, progress.next], ['replicate', 5])
    progress.sent(8, 4)
    progress.refused(0)
    assert.deepEqual([progress.mode, progress.next], ['probe', 5])
    progress.refused(0)
    assert.deepEqual([progress.next, progress.match], [5, 4])
  })

  it('bounds what is in flight and frees it in order', () => {
    const progress = steady(0)
    for (let i = 1; i <= INFLIGHT_APPENDS_MAX; i++) progress.sent(i, 1)
    assert.equal(progress.isPaused, true)
    progress.acknowledged(0)
    assert.equal(progress.isPaused, true)
    progress.acknowledged(2)
    assert.equal(progress.isPaused, false)
    progress.sent(INFLIGHT_APPENDS_MAX + 1, 1)
    progress.sent(INFLIGHT_APPENDS_MAX + 2, 1)
    assert.equal(progress.isPaused, true)
  })

  it('counts an append without entries as nothing in flight', () => {
    const progress = steady(3)
    for (let i = 0; i <= INFLIGHT_APPENDS_MAX; i++) progress.sent(3, 0)
    assert.deepEqual([progress.isPaused, progress.next], [false, 4])
  })

  it('asks after a sign of life when something is unanswered, once', () => {
    const progress = steady(3)
    progress.alive(10)
    assert.equal(progress.mustAsk, false)
    progress.sent(4, 1)
    progress.alive(10)
    assert.equal(progress.mustAsk, true)
    progress.sent(4, 0)
    assert.equal(progress.mustAsk, false)
  })
})
