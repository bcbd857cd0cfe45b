/**
 * Goal: the draw is in proportion to weight, and a candidate that leaves moves no other. Method: laws over random candidates, and counts over many
 * NEEDs held against what the weights promise, by chi-square; the draw has no seed but its inputs, so the counts are always the same.
 */
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import {
  drawOrder,
  WEIGHT_MAX,
  type WeightedCandidate,
  weightedOrder
} from '../../../../src/core/roster/index.ts'

const candidates = fc.uniqueArray(
  fc.record({ did: fc.string({ minLength: 1 }), weight: fc.integer({ min: 1, max: WEIGHT_MAX }) }),
  { selector: ({ did }) => did, maxLength: 12 }
)

/** Chi-square of counts against expected shares of their sum. */
function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const sum = counts.reduce((a, b) => a + b, 0)
  return counts.reduce((total, count, index) => {
    const expected = sum * (shares[index] as number)
    return total + (count - expected) ** 2 / expected
  }, 0)
}

const NEEDS = 4_000
const WEIGHTED: readonly WeightedCandidate[] = [
  { did: 'a', weight: 1 },
  { did: 'b', weight: 2 },
  { did: 'c', weight: 5 },
  { did: 'd', weight: 8 }
]

describe('core/roster: the draw', () => {
  it('is the same from any order of candidates, names each once', () => {
    fc.assert(
      fc.property(candidates, fc.nat(3), (given, epoch) => {
        const order = weightedOrder('need', epoch, given)
        assert.deepEqual(weightedOrder('need', epoch, [...given].reverse()), order)
        assert.deepEqual([...order].sort(), given.map(({ did }) => did).sort())
      })
    )
  })

  it('leaves the order of the others as it was when a candidate goes', () => {
    fc.assert(
      fc.property(candidates, fc.nat(), (given, pick) => {
        fc.pre(given.length > 0)
        const gone = given[pick % given.length]?.did
        const before = weightedOrder('need', 0, given).filter(did => did !== gone)
        const rest = given.filter(({ did }) => did !== gone)
        assert.deepEqual(weightedOrder('need', 0, rest), before)
      })
    )
  })

  it('only moves a candidate forward when its weight grows', () => {
    fc.assert(
      fc.property(candidates, fc.nat(), (given, pick) => {
        fc.pre(given.length > 0)
        const index = pick % given.length
        const place = (all: readonly WeightedCandidate[]): number =>
          weightedOrder('need', 0, all).indexOf(given[index]?.did ?? '')
        const heavier = given.map((one, at) =>
          at === index ? { ...one, weight: WEIGHT_MAX } : one
        )
        assert(place(heavier) <= place(given))
      })
    )
  })

  it('draws first in proportion to weight', () => {
    const counts = new Map(WEIGHTED.map(({ did }) => [did, 0]))
    for (let need = 0; need < NEEDS; need++) {
      const did = weightedOrder(`need ${need}`, 0, WEIGHTED)[0] as string
      counts.set(did, (counts.get(did) ?? 0) + 1)
    }
    const shares = WEIGHTED.map(({ weight }) => weight / 16)
    // 3 degrees of freedom: 16.3 is passed by chance once in a thousand.
    assert(chiSquare([...counts.values()], shares) < 16.3, JSON.stringify([...counts]))
  })

  it('draws the second in proportion to weight among those who remain', () => {
    const counts = new Map([
      ['a', 0],
      ['b', 0],
      ['c', 0]
    ])
    for (let need = 0; need < NEEDS * 2; need++) {
      const [head, next] = weightedOrder(`need ${need}`, 0, WEIGHTED)
      if (head === 'd') counts.set(next as string, (counts.get(next as string) ?? 0) + 1)
    }
    assert(
      chiSquare([...counts.values()], [1 / 8, 2 / 8, 5 / 8]) < 13.8,
      JSON.stringify([...counts])
    )
  })

  it('treats all alike when all weigh one', () => {
    const dids = Array.from({ length: 8 }, (_, index) => `did ${index}`)
    const counts = new Map(dids.map(did => [did, 0]))
    for (let need = 0; need < NEEDS; need++)
      for (const did of drawOrder(`need ${need}`, 0, dids).slice(0, 4))
        counts.set(did, (counts.get(did) ?? 0) + 1)
    assert(
      chiSquare(
        [...counts.values()],
        dids.map(() => 1 / 8)
      ) < 24.3,
      JSON.stringify([...counts])
    )
  })

  it('takes whole weights from one to the limit only', () => {
    for (const weight of [0, -1, 1.5, WEIGHT_MAX + 1, Number.NaN])
      assert.throws(() => weightedOrder('need', 0, [{ did: 'a', weight }]))
  })
})
