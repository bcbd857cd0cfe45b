// What the doctor says of policies: that threads answer, and how often one did not.
import assert from 'node:assert/strict'
import type { Alarms, OpaPolicyEngine } from '../../../src/adapters/opa/index.ts'
import type { PolicyDecision } from '../../../src/core/policy/index.ts'
import { policy } from '../../../src/node/doctor.ts'
import type { NodeParts } from '../../../src/node/node-parts.ts'

const logger = { error() {}, warn() {}, info() {}, debug() {} }
const DENY: PolicyDecision = { allow: false, reasons: ['verb: null'], gas: 1 }

function look(alarms: Alarms, evaluate: () => Promise<PolicyDecision>): ReturnType<typeof policy> {
  const engine: Partial<OpaPolicyEngine> = {
    baseCapsule: 'bafybase',
    evaluate,
    alarms: () => alarms
  }
  return policy({ policy: engine, logger } as Pick<NodeParts, 'policy' | 'logger'>)
}

describe('node/doctor of policies', () => {
  const none: Alarms = { count: 0, last: null }

  it('asks two questions at once, so that a thread has to answer', async () => {
    let [waiting, most] = [0, 0]
    const { ok, detail } = await look(none, async () => {
      most = Math.max(most, ++waiting)
      await Promise.resolve()
      waiting--
      return DENY
    })
    assert.deepEqual([ok, detail, most], [true, 'base capsule bafybase answers', 2])
  })

  it('says how many evaluations were ended, and why the last was', async () => {
    const last = 'the policy capsule bafyodd gave no answer within 2000 ms'
    const { ok, detail, fix } = await look({ count: 3, last }, () => Promise.resolve(DENY))
    assert.equal(ok, false)
    assert.match(detail, /without an answer: 3, last: the policy capsule bafyodd/u)
    assert.match(fix, /log/u)
  })

  it('says what is wrong with an engine that allows anything or says nothing', async () => {
    const allows = await look(none, () => Promise.resolve({ allow: true, reasons: [], gas: 1 }))
    assert.deepEqual([allows.ok, allows.fix], [false, 'reinstall the program'])
    const silent = await look(none, () => Promise.reject(new RangeError('no threads')))
    assert.deepEqual([silent.ok, silent.detail], [false, 'RangeError: no threads'])
  })
})
