/**
 * Goal: a group is what FORM binds and a certificate is what more than two thirds signed, no less. Method: FORM and certificates of a finished
 * thread, changed in one respect at a time.
 */
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { Admitted, Certificate } from '../../../../src/core/envelope/index.ts'
import {
  checkCertificate,
  checkDecision,
  checkForm,
  drawOrder,
  effectiveK,
  followsDraw,
  quorumOf
} from '../../../../src/core/roster/index.ts'
import { finishedThread } from '../../../support/finished-thread.ts'
import { testVerify } from '../../../support/swarm-cluster.ts'

const { node, thread } = finishedThread()

function only<V extends 'NEED' | 'FORM' | 'DECIDE'>(verb: V): Admitted<V> {
  const found = node.swarm.view(thread)?.envelopes.find(envelope => envelope.verb === verb)
  return node.swarm.envelope(thread, found?.id ?? '') as Admitted<V>
}

function withForm(
  change: (payload: Admitted<'FORM'>['envelope']['payload']) => object
): Admitted<'FORM'> {
  const form = only('FORM')
  return {
    ...form,
    envelope: {
      ...form.envelope,
      payload: { ...form.envelope.payload, ...change(form.envelope.payload) }
    }
  } as Admitted<'FORM'>
}

function codeOf(form: Admitted<'FORM'>): string {
  const checked = checkForm(form, { need: only('NEED'), previous: [] }, testVerify)
  return checked.ok ? 'ok' : checked.refusal.code
}

describe('core/roster', () => {
  it('draws the same order from any order of candidates, each once', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 }),
        fc.nat(3),
        (candidates, epoch) => {
          const order = drawOrder('need', epoch, candidates)
          assert.deepEqual(drawOrder('need', epoch, [...candidates].reverse()), order)
          assert.deepEqual([...order].sort(), [...candidates].sort())
          assert(candidates.length === 0 || followsDraw(order, order.slice(0, 4)))
        }
      )
    )
  })

  it('accepts as a roster only what skips reserves forward', () => {
    const order = ['a', 'b', 'c', 'd', 'e']
    assert(followsDraw(order, ['a', 'c', 'd', 'e']))
    for (const roster of [[], ['b', 'a'], ['a', 'a'], ['a', 'x']])
      assert(!followsDraw(order, roster))
  })

  it('needs more than two thirds', () => {
    for (const [size, quorum] of [
      [1, 1],
      [4, 3],
      [7, 5]
    ] as const) {
      assert.equal(quorumOf(size), quorum)
      assert(quorum * 3 > size * 2)
    }
  })

  it('asks for no more findings than three tenths of the verifiers, and at least one', () => {
    assert.equal(effectiveK(3, 0), 1)
    assert.equal(effectiveK(3, 5), 1)
    assert.equal(effectiveK(3, 10), 3)
    assert.equal(effectiveK(1, 100), 1)
    assert.equal(effectiveK(1_000_000, 1_000_000), 64)
  })

  it('accepts the FORM as it was made', () => {
    assert.equal(codeOf(only('FORM')), 'ok')
  })

  it('refuses a FORM changed in any respect that binds the group', () => {
    const stranger = node.did
    assert.equal(codeOf(withForm(() => ({ slot: 'other' }))), 'FORM_OTHER_NEED')
    assert.equal(codeOf(withForm(() => ({ kResult: 2 }))), 'FORM_K')
    assert.equal(codeOf(withForm(() => ({ kPlan: 0 }))), 'FORM_K')
    assert.equal(codeOf(withForm(({ roster }) => ({ roster: roster.slice(0, 3) }))), 'FORM_SIZE')
    assert.equal(codeOf(withForm(({ roster }) => ({ roster: [...roster].reverse() }))), 'FORM_DRAW')
    assert.equal(
      codeOf(withForm(({ candidates }) => ({ candidates: candidates.slice(0, 1) }))),
      'FORM_DRAW'
    )
    assert.equal(codeOf(withForm(({ joins }) => ({ joins: joins.slice(1) }))), 'FORM_JOINS')
    assert.equal(
      codeOf(
        withForm(({ joins }) => ({
          joins: joins.map(join => ({ ...join, sig: new Uint8Array(64) }))
        }))
      ),
      'FORM_JOINS'
    )
    assert.equal(codeOf(withForm(() => ({ tier: 'single', roster: [stranger] }))), 'FORM_SINGLE')
    assert.equal(codeOf(withForm(() => ({ precisionMs: 10_001 }))), 'FORM_PRECISION')
    const form = only('FORM')
    const other = {
      ...form,
      envelope: { ...form.envelope, sender: form.envelope.payload.roster[1] }
    } as Admitted<'FORM'>
    if (other.envelope.sender !== form.envelope.sender)
      assert.equal(codeOf(other), 'FORM_NOT_BY_REQUESTER')
  })

  it('refuses a FORM that leaves no room for decision and outcome in an envelope', () => {
    const form = only('FORM')
    const bytes = new Uint8Array(16 * 1024 + 1)
    assert.equal(codeOf({ ...form, envelope: form.envelope, bytes }), 'FORM_TOO_LARGE')
  })

  it('refuses a later epoch without the seals of the one before', () => {
    assert.equal(codeOf(withForm(() => ({ epoch: 1 }))), 'FORM_SEAL')
  })

  it('takes the word of its caller for a FORM of the same bytes only', () => {
    const { certificate } = only('DECIDE').envelope.payload
    const form = only('FORM')
    let looks = 0
    const check = (known: readonly Admitted<'FORM'>[]): boolean =>
      checkCertificate(
        certificate,
        only('NEED'),
        (...args) => {
          looks += 1
          return testVerify(...args)
        },
        known
      ).ok
    assert.equal(check([form]), true)
    assert.equal(looks, certificate.votes.length, 'the votes are still looked at')
    const bytes = form.bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte))
    const other = { ...form, envelope: form.envelope, bytes }
    assert.equal(check([other]), true)
    assert.equal(looks, 2 * certificate.votes.length + 1 + form.envelope.payload.joins.length)
  })

  it('refuses a certificate with too few votes, one signer counted twice, or another digest', () => {
    const { certificate, decision } = only('DECIDE').envelope.payload
    const check = (changed: Partial<Certificate>): string => {
      const checked = checkCertificate({ ...certificate, ...changed }, only('NEED'), testVerify)
      return checked.ok ? 'ok' : checked.refusal.code
    }
    const [first, second] = certificate.votes
    assert(first !== undefined && second !== undefined)
    assert.equal(check({}), 'ok')
    assert.equal(check({ votes: [first, second] }), 'CERTIFICATE_QUORUM')
    assert.equal(check({ votes: [first, first, first, second] }), 'CERTIFICATE_QUORUM')
    assert.equal(
      check({ votes: certificate.votes.map(vote => ({ ...vote, member: node.did })) }),
      'CERTIFICATE_QUORUM'
    )
    assert.equal(
      check({ stage: 'outcome' }),
      'CERTIFICATE_QUORUM',
      'a vote for one stage is none for the other'
    )
    assert.equal(check({ digest: new Uint8Array(32) }), 'CERTIFICATE_QUORUM')
    assert.equal(check({ form: only('NEED').bytes }), 'CERTIFICATE_FORM')
    const changed = checkDecision(
      { ...decision, index: decision.index + 1 },
      certificate,
      only('NEED'),
      testVerify
    )
    assert(!changed.ok && changed.refusal.code === 'CERTIFICATE_DIGEST')
  })
})
