// Goal: a group of a later epoch makes the decision that it is bound to, or none, and hears nothing that was said in another epoch (R11, R15).
// Method: the fold, with a FORM that rests on seals, and single entries.
import { strict as assert } from 'node:assert'
import type { Admitted, Payload } from '../../../../src/core/envelope/index.ts'
import { hasEffect, isPointless, type NeedState } from '../../../../src/core/need/index.ts'
import { did, NeedWorld } from '../../../support/need-world.ts'

const [CHEAP, WORKER, VERIFIER] = [1, 2, 3]

/** FORM fields of epoch 1, after seals that show this proposal, or none. */
function later(proposal: Admitted | null): Partial<Payload<'FORM'>> {
  const shown = { digest: new Uint8Array(32), proposal: proposal?.cid ?? null }
  const seal = proposal === null ? { digest: null, proposal: null } : shown
  const roster = [0, 1, 2, 3].map(did)
  const seals = roster.map(member => ({ member, ...seal, sig: new Uint8Array(64) }))
  return { epoch: 1, seal: { epoch: 0, form: null, roster, seals } }
}

/** A fresh look: what an assertion said of the state before does not hold after an entry. */
function stateOf(world: NeedWorld): NeedState {
  return world.log.state
}

describe('core/need: later epochs', () => {
  /** The same NEED gives the same proposals, whatever the FORM. */
  const before = new NeedWorld()
  const carried = before.propose(WORKER, 50n)
  const other = before.propose(WORKER, 1n)
  const cheap = before.propose(CHEAP, 1n)

  it('decides what is carried at once, whatever else is bid', () => {
    const world = new NeedWorld({}, later(carried))
    world.at(1, cheap)
    world.at(2, other)
    world.at(3, world.attestPlan(VERIFIER, cheap))
    world.at(4, carried)
    assert.equal(stateOf(world).decision, null)
    const { decided } = world.at(5, world.attestPlan(VERIFIER, carried))
    assert.equal(decided?.proposal.toString(), carried.id)
    assert.equal(decided?.epoch, 1)
  })

  it('takes what is carried though its bidder has said something else with the same clock value', () => {
    const world = new NeedWorld({}, later(carried))
    const { lamport, envelope } = carried
    const { ballot } = envelope.payload
    world.at(
      1,
      world.seal(
        WORKER,
        'PROPOSE',
        { ...envelope.payload, ballot: { ...ballot, cost: 1n } },
        { lamport }
      )
    )
    assert(hasEffect(stateOf(world), carried))
    world.at(2, carried)
    const { decided } = world.at(3, world.attestPlan(VERIFIER, carried))
    assert.equal(decided?.proposal.toString(), carried.id)
  })

  it('decides nothing while the carried proposal is not there', () => {
    const world = new NeedWorld({}, later(carried))
    world.at(1, cheap)
    world.at(2, world.attestPlan(VERIFIER, cheap))
    world.at(500)
    assert.equal(stateOf(world).decision, null)
    assert.match(stateOf(world).reason, /earlier epoch/u)
    const { ended } = world.at(20_000)
    assert.equal(ended?.result, 'EXPIRED')
    assert.equal(ended?.epoch, 1)
  })

  it('is free when the seals show nothing', () => {
    const world = new NeedWorld({}, later(null))
    world.at(1, carried)
    world.at(2, cheap)
    world.at(3, world.attestPlan(VERIFIER, carried))
    world.at(4, world.attestPlan(VERIFIER, cheap))
    world.at(100)
    assert.equal(stateOf(world).decision, null, 'the bid window has not passed')
    world.at(300)
    assert.equal(stateOf(world).decision?.proposal.toString(), cheap.id)
  })

  it('hears nothing that acts within another epoch, though it fits in all else', () => {
    const world = new NeedWorld({}, later(carried))
    world.at(1, carried)
    world.at(2, world.attestPlan(VERIFIER, carried))
    const stale = world.claim(WORKER, 0)
    assert(isPointless(stateOf(world), stale))
    world.at(3, stale)
    assert.equal(stateOf(world).lease, null)
    world.at(4, world.claim(WORKER, 1))
    const fence = world.fence()
    assert.equal(fence[0], 1)
    world.at(5, world.commit(WORKER))
    assert.deepEqual(stateOf(world).commit?.fence, fence)
    // A verdict names the COMMIT and nothing of the lease; its epoch alone says which group it speaks to.
    const verdict = world.sealVerdict(VERIFIER, true)
    for (const epoch of [0, 2]) {
      const said = world.seal(VERIFIER, 'ATTEST', verdict.envelope.payload, { epoch })
      assert(isPointless(stateOf(world), said))
      world.at(6 + epoch, said)
      assert(!stateOf(world).logged.has(said.id))
      assert.equal(stateOf(world).verdicts.size, 0)
    }
    world.at(9, world.seal(VERIFIER, 'ATTEST', verdict.envelope.payload, { epoch: 1 }))
    assert.equal(stateOf(world).verdicts.size, 1)
  })
})
