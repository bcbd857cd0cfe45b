/** Goal: after a partition one branch stands, and what can be kept of the others is. Method: branches by hand, in every order. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Branch, reconcile } from '../../../../src/core/plan/index.ts'

function branch(proposal: string, epoch: number, change: Partial<Branch> = {}): Branch {
  return {
    proposal,
    proposer: `worker of ${proposal}`,
    lamport: 5,
    epoch,
    tasks: [{ task: 'count', type: 'text/count' }],
    artifacts: [],
    ...change
  }
}

function made(artifact: string, attesters: readonly string[], needed = 2): Branch['artifacts'] {
  return [{ artifact, task: 'count', attesters, needed }]
}

describe('core/plan/reconcile', () => {
  it('lets the highest epoch stand, then the lowest Lamport value, then the smaller proposer', () => {
    const stands = (...branches: Branch[]): string | null => {
      const one = reconcile(branches)
      assert.deepEqual(reconcile(branches.toReversed()), one)
      return one.stands
    }
    assert.equal(stands(), null)
    assert.equal(stands(branch('a', 0), branch('b', 1, { lamport: 9 })), 'b')
    assert.equal(stands(branch('a', 1), branch('b', 1, { lamport: 4 })), 'b')
    assert.equal(stands(branch('a', 1, { proposer: 'y' }), branch('b', 1, { proposer: 'x' })), 'b')
  })

  it('salvages what enough others attested, of a task that the standing branch has', () => {
    const standing = branch('new', 2, { artifacts: made('kept', ['v1', 'v2']) })
    const salvagedOf = (change: Partial<Branch>): readonly string[] => {
      const { salvaged, orphaned } = reconcile([branch('old', 1, change), standing])
      assert.deepEqual(orphaned, [{ proposal: 'old', byEpoch: 2 }])
      return salvaged.map(({ artifact }) => artifact)
    }
    assert.deepEqual(salvagedOf({ artifacts: made('good', ['v1', 'v2']) }), ['good'])
    assert.deepEqual(salvagedOf({ artifacts: made('once', ['v1', 'v1']) }), [])
    assert.deepEqual(salvagedOf({ artifacts: made('own', ['v1', 'worker of old']) }), [])
    assert.deepEqual(salvagedOf({ artifacts: made('kept', ['v1', 'v2']) }), [], 'it is there')
    assert.deepEqual(salvagedOf({ artifacts: made('free', [], 0) }), [], 'nobody looked at it')
    const other = [{ task: 'count', type: 'text/other' }]
    assert.deepEqual(salvagedOf({ tasks: other, artifacts: made('good', ['v1', 'v2']) }), [])
  })

  it('does not depend on the order of the branches', () => {
    const some = fc.uniqueArray(
      fc.record({
        proposal: fc.constantFrom('a', 'b', 'c', 'd'),
        epoch: fc.nat(2),
        lamport: fc.nat(1),
        proposer: fc.constantFrom('x', 'y'),
        artifact: fc.constantFrom('m', 'n')
      }),
      { selector: ({ proposal }) => proposal }
    )
    fc.assert(
      fc.property(
        some.chain(all =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))
        ),
        ([all, shuffled]) => {
          const branches = (list: typeof all): Branch[] =>
            list.map(({ proposal, epoch, artifact, ...rest }) =>
              branch(proposal, epoch, { ...rest, artifacts: made(artifact, ['v1', 'v2']) })
            )
          assert.deepEqual(reconcile(branches(shuffled)), reconcile(branches(all)))
        }
      )
    )
  })
})
