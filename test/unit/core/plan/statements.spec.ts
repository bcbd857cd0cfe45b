// Goal: statements in runs behave as one sorted list. Method: thousands put in and taken out at random, beside such a list.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Source, Stated } from '../../../../src/core/plan/source.ts'
import { Statements } from '../../../../src/core/plan/statements.ts'

const byLamport = (a: Stated<null>, b: Stated<null>): number => a.source.lamport - b.source.lamport
const at = (lamport: number): Stated<null> => ({
  value: null,
  source: { standing: 1, lamport, sender: '', envelope: '', position: 0 } satisfies Source
})

describe('core/plan/statements', () => {
  it('have the smallest first, whatever was put in and taken out', () => {
    const numbers = fc.uniqueArray(fc.nat(1e6), { minLength: 1_500, maxLength: 2_500, size: 'max' })
    fc.assert(
      fc.property(numbers, fc.nat(100), (list, percent) => {
        const statements = new Statements<null>()
        for (const one of list) statements.insert(at(one), byLamport)
        const gone = list.filter(one => one % 100 < percent)
        for (const one of gone) statements.withdraw(at(one), byLamport)
        const left = list.filter(one => !gone.includes(one)).sort((a, b) => a - b)
        for (const one of left) {
          assert.equal(statements.first()?.source.lamport, one)
          statements.withdraw(at(one), byLamport)
        }
        assert.ok(statements.isEmpty())
        assert.throws(() => statements.withdraw(at(1), byLamport))
      }),
      { numRuns: 10 }
    )
  })
})
