// Goal: a replay finds who signed an evaluation that the capsule of the NEED does not give. Method: a log fed by hand, a judge that answers as told.
import assert from 'node:assert/strict'
import { commitSubjectOf } from '../../../src/core/need/index.ts'
import { commitInput, evaluationDigest } from '../../../src/core/policy/index.ts'
import type { Gate } from '../../../src/replay/admission.ts'
import { askGatesAgain } from '../../../src/replay/gates-again.ts'
import { did, NeedWorld } from '../../support/need-world.ts'

const OTHER = new Uint8Array(32).fill(9)
const decision = { allow: true, reasons: [], gas: 7 }

function gateOf(world: NeedWorld, base?: string): Gate {
  const own = world.need.envelope.payload.capsule.toString()
  return { base: base ?? own, engine: new Uint8Array(32), judge: () => decision }
}

/** Two verifiers reveal: one what the capsule says, the other something else. */
function judged(): NeedWorld {
  const world = new NeedWorld({ kResult: 2 }).committed()
  const subject = commitSubjectOf(world.log.state, world.commitCid().toString())
  assert.ok(subject !== null)
  const { base: capsule, engine } = gateOf(world)
  const right = evaluationDigest({ input: commitInput(subject), decision, capsule, engine })
  const said = [[2, right] as const, [3, OTHER] as const]
  for (const [who, evaluation] of said)
    world.at(400 + who, world.sealVerdict(who, true, { evaluation }))
  world.at(600)
  for (const [who, evaluation] of said)
    world.at(600 + who, world.finding(who, true, { evaluation }))
  return world
}

describe('replay/gates again', () => {
  it('names who signed an evaluation that this machine does not get', async () => {
    const world = judged()
    const { same, differing, missing } = await askGatesAgain(
      world.log.state,
      gateOf(world),
      new Map()
    )
    assert.equal(missing, null)
    const atCommit = differing.filter(({ gate }) => gate === 'commit')
    assert.deepEqual(
      atCommit.map(({ by, subject, signed }) => [by, subject, signed]),
      [[did(3), world.commitCid().toString(), '09'.repeat(32)]]
    )
    assert.ok(same >= 1)
  })

  it('says so when the record does not bring along the capsule', async () => {
    const world = judged()
    const gate = gateOf(world, 'bafyother')
    const { same, missing } = await askGatesAgain(world.log.state, gate, new Map())
    assert.equal(same, 0)
    assert.match(missing ?? '', /capsule .* is refused/u)
  })
})
