// Goal: the worker's decision in every phase. Method: one view per case, no client.
import assert from 'node:assert/strict'
import { workerStep } from '../../../src/agents/worker-step.ts'
import type { ThreadView } from '../../../src/core/swarm/index.ts'
import { decidedFor, leasedTo, ME, OTHER, openThread } from '../../support/agent-harness.ts'

const role = { did: ME, price: '5', failuresMax: 2 }
const kind = (view: ThreadView): string => workerStep(view, role).kind
const proposal = { id: 'p', worker: ME, cost: '5', etaMs: 1, attestations: [], logged: false }
const yielded = { id: 'y', verb: 'YIELD', sender: ME, lamport: 1, seenAt: 1 }

describe('agents/worker-step', () => {
  it('proposes while bids are taken, once', () => {
    assert.equal(kind(openThread({ phase: 'OPEN' })), 'propose')
    assert.equal(kind(openThread()), 'propose')
    assert.equal(kind(openThread({ proposals: [proposal] })), 'wait')
    assert.equal(kind(openThread({ proposals: [{ ...proposal, worker: OTHER }] })), 'propose')
  })

  it('does not bid above the budget', () => {
    assert.equal(kind(openThread({ budget: '4' })), 'wait')
    assert.equal(kind(openThread({ budget: '5' })), 'propose')
  })

  it('does not work for itself, except alone', () => {
    assert.equal(kind(openThread({ requester: ME })), 'wait')
    assert.equal(kind(openThread({ requester: ME, solo: true })), 'propose')
  })

  it('claims only what is decided for it, with a certificate', () => {
    assert.equal(kind(decidedFor(ME)), 'claim')
    assert.equal(kind(decidedFor(OTHER)), 'wait')
    const view = decidedFor(ME)
    assert.ok(view.decide)
    assert.equal(kind({ ...view, decide: { ...view.decide, certified: false } }), 'wait')
  })

  it('gives up a task that it has given back too often', () => {
    assert.equal(kind(decidedFor(ME, { envelopes: [yielded] })), 'claim')
    assert.equal(kind(decidedFor(ME, { envelopes: [yielded, yielded] })), 'give-up')
    const others = [yielded, { ...yielded, sender: OTHER }]
    assert.equal(kind(decidedFor(ME, { envelopes: others })), 'claim')
  })

  it('works under its own lease, and names it by its fence', () => {
    assert.deepEqual(workerStep(leasedTo(ME), role), { kind: 'work', lease: '0.1.5' })
    assert.equal(kind(leasedTo(OTHER)), 'wait')
  })

  it('does nothing in a void thread, whatever it holds', () => {
    const voided = { void: { evidence: 'e', epoch: 0, reason: 'two FORMs' } }
    for (const view of [openThread(), decidedFor(ME), leasedTo(ME)])
      assert.equal(kind({ ...view, ...voided }), 'wait')
    assert.equal(kind({ ...decidedFor(ME, { phase: 'FINAL' }), ...voided }), 'ended')
  })

  it('does nothing after the COMMIT, and ends with the thread', () => {
    for (const phase of ['COMMITTED', 'REVEALING', 'VERIFIED'] as const)
      assert.equal(kind(decidedFor(ME, { phase })), 'wait')
    for (const phase of ['FINAL', 'INVALID', 'EXPIRED'] as const)
      assert.equal(kind(decidedFor(ME, { phase })), 'ended')
  })
})
