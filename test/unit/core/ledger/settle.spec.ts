/** Goal: escrow is conserved whoever is paid (P5). Method: any settlement that the protocol can produce. */
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { settle } from '../../../../src/core/ledger/index.ts'

const amount = fc.bigInt({ min: 0n, max: 1n << 60n })

describe('core/ledger', () => {
  it('pays out exactly what was escrowed, in any case', () => {
    fc.assert(
      fc.property(
        amount,
        amount,
        fc.nat(100),
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 9 }),
        fc.boolean(),
        (budget, verifyBounty, percent, verifiers, works) => {
          const worker = works ? { did: 'worker', cost: (budget * BigInt(percent)) / 100n } : null
          const payouts = settle({
            requester: 'requester',
            budget,
            verifyBounty,
            worker,
            verifiers
          })
          assert.equal(
            payouts.reduce((sum, payout) => sum + payout.amount, 0n),
            budget + verifyBounty
          )
          assert(payouts.every(payout => payout.amount > 0n))
          const shares = payouts
            .filter(payout => payout.why === 'verify')
            .map(payout => payout.amount)
          assert(new Set(shares).size <= 1, 'equal shares')
        }
      )
    )
  })

  it('refunds everything when nobody earned', () => {
    const payouts = settle({
      requester: 'r',
      budget: 100n,
      verifyBounty: 10n,
      worker: null,
      verifiers: []
    })
    assert.deepEqual(payouts, [{ to: 'r', amount: 110n, why: 'refund' }])
  })
})
