// Goal: who evaluates one question differently is named, from the log alone (POL-19). Method: a log fed by hand.
import assert from 'node:assert/strict'
import { toHex } from '../../../../src/core/base/index.ts'
import { divergences } from '../../../../src/core/need/index.ts'
import { did, EVALUATION, NeedWorld, WORKER } from '../../../support/need-world.ts'

const OTHER = new Uint8Array(32).fill(9)
const [usual, other] = [toHex(EVALUATION), toHex(OTHER)]

/** To VERIFIED, or not: three verdicts, each with its evaluation. */
function judged(
  evaluations: readonly (readonly [who: number, evaluation: Uint8Array])[]
): NeedWorld {
  const world = new NeedWorld({ kResult: evaluations.length }).committed()
  for (const [i, [who, evaluation]] of evaluations.entries())
    world.at(401 + i, world.sealVerdict(who, true, { evaluation }))
  world.at(600)
  for (const [i, [who, evaluation]] of evaluations.entries())
    world.at(601 + i, world.finding(who, true, { evaluation }))
  return world
}

describe('core/need/divergence', () => {
  it('finds nothing where all agree', () => {
    const { log } = judged([2, 3, 4].map(who => [who, EVALUATION]))
    assert.deepEqual(divergences(log.state), [])
  })

  it('names who attested a proposal by another evaluation than others', () => {
    const world = new NeedWorld()
    const proposal = world.propose(WORKER)
    world.at(1, proposal)
    world.at(2, world.attestPlan(2, proposal))
    assert.deepEqual(divergences(world.log.state), [])
    world.at(3, world.attestPlan(3, proposal, { evaluation: OTHER }))
    assert.deepEqual(divergences(world.log.state), [
      {
        gate: 'bid',
        subject: proposal.id,
        evaluations: [
          { digest: usual, by: [did(2)] },
          { digest: other, by: [did(3)] }
        ]
      }
    ])
  })

  it('names who judged a COMMIT by which evaluation, and lets the verdicts stand', () => {
    const world = judged([
      [2, EVALUATION],
      [3, OTHER],
      [4, EVALUATION]
    ])
    assert.deepEqual(divergences(world.log.state), [
      {
        gate: 'commit',
        subject: world.commitCid().toString(),
        evaluations: [
          { digest: usual, by: [did(2), did(4)] },
          { digest: other, by: [did(3)] }
        ]
      }
    ])
    assert.equal(world.log.state.phase, 'VERIFIED')
  })

  it('counts findings in disputes too', () => {
    const world = judged([[2, EVALUATION]])
    const challenge = world.challenge(5)
    world.at(700, challenge)
    const fields = { salt: null, challenge: challenge.cid, evaluation: OTHER }
    world.at(701, world.finding(6, false, fields))
    const [found] = divergences(world.log.state)
    assert.deepEqual(
      found?.evaluations.map(({ by }) => by),
      [[did(2)], [did(6)]]
    )
  })

  it('looks at no evaluation that is still sealed', () => {
    const world = new NeedWorld({ kResult: 2 }).committed()
    world.at(401, world.sealVerdict(2, true))
    world.at(402, world.sealVerdict(3, true, { evaluation: OTHER }))
    assert.deepEqual(divergences(world.log.state), [])
  })
})
