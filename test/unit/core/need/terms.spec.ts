// What a NEED's terms make of findings, and what the gates are asked: functions of the log (POL-21, POL-22, POL-23).
import assert from 'node:assert/strict'
import type { Admitted, Decision, Standing, Terms } from '../../../../src/core/envelope/index.ts'
import { bidSubjectOf, commitSubjectOf } from '../../../../src/core/need/index.ts'
import { bidInput, commitInput } from '../../../../src/core/policy/index.ts'
import { NeedWorld, WORKER } from '../../../support/need-world.ts'

const TERMS: Terms = { zones: [], tags: [], perOrg: 1, perZone: null, tokensMax: null }

describe('core/need: terms', () => {
  function of(world: NeedWorld, org: string, zone = 'eu'): Standing {
    const roles: Standing['roles'] = ['verifier', 'worker']
    return { manifest: world.need.cid, roles, tags: [], zone, org, stake: 0n }
  }

  function bidding(terms: Terms | null, kPlan = 2): NeedWorld {
    return new NeedWorld({ terms, kPlan }, { kPlan, kResult: 1 })
  }

  it('counts one attestation of an org, and decides by those that count', () => {
    const world = bidding(TERMS)
    const proposal = world.propose(WORKER, 10n, 100, of(world, 'acme'))
    world.at(1, proposal)
    world.at(2, world.attestPlan(2, proposal, { standing: of(world, 'one') }))
    world.at(3, world.attestPlan(3, proposal, { standing: of(world, 'one') }))
    world.at(5_000)
    assert.equal(decisionOf(world), null)
    const other = world.attestPlan(4, proposal, { standing: of(world, 'two') })
    world.at(5_001, other)
    const decision = decisionOf(world)
    assert.equal(decision?.attestations.length, 2)
    assert.ok(decision?.attestations.some(cid => cid.toString() === other.id))
  })

  it('takes all who name no org for one, and none of the org of the worker', () => {
    const world = bidding(TERMS, 1)
    const proposal = world.propose(WORKER, 10n, 100, of(world, 'acme'))
    world.at(1, proposal)
    world.at(2, world.attestPlan(2, proposal, { standing: of(world, 'acme') }))
    world.at(5_000)
    assert.equal(decisionOf(world), null)
    world.at(5_001, world.attestPlan(3, proposal))
    assert.equal(decisionOf(world)?.attestations.length, 1)
    const unnamed = bidding(TERMS)
    const bid = unnamed.propose(WORKER)
    unnamed.at(1, bid)
    unnamed.at(2, unnamed.attestPlan(2, bid))
    unnamed.at(3, unnamed.attestPlan(3, bid, { standing: of(unnamed, '') }))
    unnamed.at(5_000)
    assert.equal(decisionOf(unnamed), null)
  })

  it('counts by zone where the terms say so, and everybody where there are none', () => {
    for (const [terms, decides] of [
      [{ ...TERMS, perOrg: null, perZone: 1 }, false],
      [{ ...TERMS, perOrg: null }, true],
      [null, true]
    ] as const) {
      const world = bidding(terms)
      const proposal = world.propose(WORKER)
      world.at(1, proposal)
      world.at(2, world.attestPlan(2, proposal, { standing: of(world, 'one') }))
      world.at(3, world.attestPlan(3, proposal, { standing: of(world, 'one') }))
      world.at(5_000)
      assert.equal(world.log.state.decision !== null, decides)
    }
  })

  it('takes one seal of an org: a second would be judged by, and paid', () => {
    const world = bidding(TERMS, 1)
    committed(world)
    world.at(401, world.sealVerdict(2, true, { standing: of(world, 'one') }))
    world.at(402, world.sealVerdict(3, true, { standing: of(world, 'one') }))
    world.at(403, world.sealVerdict(4, true, { standing: of(world, 'acme') }))
    assert.equal(world.log.state.verdicts.size, 1)
    world.at(404, world.sealVerdict(5, true, { standing: of(world, 'two') }))
    assert.equal(world.log.state.verdicts.size, 2)
  })

  it('asks the bid gate about a proposal of the log only', () => {
    const world = bidding(null, 1)
    const proposal = world.propose(WORKER, 10n, 100, of(world, 'acme'))
    assert.equal(bidSubjectOf(world.log.state, proposal.id), null)
    world.at(1, proposal)
    const subject = bidSubjectOf(world.log.state, proposal.id)
    assert.ok(subject !== null)
    const input = bidInput(subject)
    assert.deepEqual(JSON.parse(JSON.stringify(input)), input)
    assert.equal(input.gate, 'bid')
    assert.equal((input['standing'] as { org: string }).org, 'acme')
  })

  it('counts what the worker used up to its COMMIT, and nothing after', () => {
    const world = bidding(null, 1)
    const commit = committed(world)
    const subject = commitSubjectOf(world.log.state, commit)
    assert.ok(subject !== null)
    // PROPOSE, CLAIM, YIELD, CLAIM, COMMIT.
    assert.deepEqual(subject.usage, { messages: 5, updates: 0, claims: 2, yields: 1, logMs: 399 })
    assert.equal(subject.committee.length, 1)
    world.at(450, world.propose(WORKER))
    assert.deepEqual(commitSubjectOf(world.log.state, commit), subject)
    assert.equal(commitInput(subject).gate, 'commit')
    assert.equal(commitSubjectOf(world.log.state, world.need.id), null)
  })

  function decisionOf(world: NeedWorld): Decision | null {
    return world.log.state.decision
  }

  function giveBack(world: NeedWorld): Admitted {
    const fence = world.fence()
    const task = world.task()
    return world.seal(WORKER, 'YIELD', { task, reason: 'later' }, { epoch: fence[0], fence })
  }

  /** Node 1 of org acme claims, gives back, claims again and commits at 400 ms. */
  function committed(world: NeedWorld): string {
    const proposal = world.propose(WORKER, 10n, 100, of(world, 'acme'))
    world.at(1, proposal)
    world.at(2, world.attestPlan(2, proposal, { standing: of(world, 'one') }))
    world.at(300)
    world.at(301, world.claim(WORKER))
    world.at(302, giveBack(world))
    world.at(303, world.claim(WORKER))
    const commit = world.commit(WORKER)
    world.at(400, commit)
    assert.equal(world.log.state.phase, 'COMMITTED')
    return commit.id
  }
})
