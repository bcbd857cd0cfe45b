// The twins of clock and entropy: equal runs.
import assert from 'node:assert/strict'
import { manualClock, seededEntropy } from '../../../../src/adapters/memory/index.ts'

describe('adapters/memory/manual-clock', () => {
  it('stands still until told, and fires in order of time, then of setting', () => {
    const clock = manualClock(1000)
    const fired: string[] = []
    const note = (name: string) => () => void fired.push(`${name}@${clock.nowMs()}`)
    clock.after(20, note('late'))
    clock.after(10, note('first'))
    clock.after(10, note('second'))
    clock.after(99, note('never'))
    assert.equal(clock.nowMs(), 1000)
    clock.advance(50)
    assert.deepEqual(fired, ['first@1010', 'second@1010', 'late@1020'])
    assert.equal(clock.nowMs(), 1050)
    assert.equal(clock.pending, 1)
  })

  it('fires what a callback sets, when it falls due within the same advance', () => {
    const clock = manualClock()
    let count = 0
    const again = (): void => {
      count++
      clock.after(10, again)
    }
    clock.after(10, again)
    clock.advance(35)
    assert.equal(count, 3)
  })

  it('does not fire what was cancelled', () => {
    const clock = manualClock()
    const cancel = clock.after(1, () => assert.fail('cancelled'))
    clock.jump(5)
    cancel()
    clock.advance(10)
  })

  it('jumps without firing; timers wait as long as before', () => {
    const clock = manualClock(1000)
    let firedAt = 0
    clock.after(10, () => {
      firedAt = clock.nowMs()
    })
    clock.jump(500)
    clock.advance(9)
    assert.equal(firedAt, 0)
    clock.advance(1)
    assert.equal(firedAt, 510)
  })
})

describe('adapters/memory/seeded-entropy', () => {
  it('repeats for a seed and differs between seeds and calls', () => {
    const [one, same, other] = [seededEntropy(1), seededEntropy(1), seededEntropy(2)]
    const first = one.bytes(70)
    assert.equal(first.length, 70)
    assert.deepEqual(same.bytes(70), first)
    assert.notDeepEqual(other.bytes(70), first)
    assert.notDeepEqual(one.bytes(70), first)
    assert.notDeepEqual(first.slice(0, 32), first.slice(32, 64))
  })
})
