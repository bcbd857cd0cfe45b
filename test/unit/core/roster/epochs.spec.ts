/**
 * Goal: a later epoch rests on the seals of the one before, and nothing can be changed in them unseen (R11). Method: the FORMs and certificates of a
 * thread of two epochs, changed in one respect at a time; carry-over against a table of what seals may show.
 */
import { strict as assert } from 'node:assert'
import { fromHex } from '../../../../src/core/base/index.ts'
import { type CID, cidOf, encode } from '../../../../src/core/codec/index.ts'
import type {
  Admitted,
  Certificate,
  EpochSeal,
  Payload
} from '../../../../src/core/envelope/index.ts'
import {
  carriedBy,
  checkDecision,
  checkForm,
  checkOutcome,
  decisionDigest,
  groupIdOf,
  outcomeDigest,
  rosterHash,
  sealBytes,
  voteBytes
} from '../../../../src/core/roster/index.ts'
import { testKeys, testVerify } from '../../../support/swarm-cluster.ts'
import { twoEpochs } from '../../../support/two-epochs.ts'

const { cluster, need, thread, forms, decides, finalize } = twoEpochs()
const [first, second] = forms
const seal = second.envelope.payload.seal as EpochSeal
const OTHER = cidOf(encode({ other: 'proposal' }))

type Form = Admitted<'FORM'>

function withPayload(change: Partial<Payload<'FORM'>>): Form {
  const payload = { ...second.envelope.payload, ...change }
  return { ...second, envelope: { ...second.envelope, payload } } as Form
}

function withSeal(change: Partial<EpochSeal>): Form {
  return withPayload({ seal: { ...seal, ...change } })
}

function codeOf(form: Form, previous: readonly Form[] = [first]): string {
  const checked = checkForm(form, { need, previous }, testVerify)
  return checked.ok ? 'ok' : checked.refusal.code
}

function keysOf(did: string): ReturnType<typeof testKeys> {
  return cluster.nodes.find(node => node.did === did)?.keys ?? testKeys(90)
}

type Shown = { readonly digest: Uint8Array; readonly proposal: CID } | null

/** Seals of the first epoch by these members, each showing what it is told to, signed by its own key. */
function seals(shown: readonly Shown[], of: Partial<EpochSeal> = {}): EpochSeal {
  const { epoch, form, roster } = { ...seal, ...of }
  const key = { thread, slot: 'slot-1', epoch }
  const hash = rosterHash(key, roster)
  return {
    epoch,
    form,
    roster,
    seals: shown.map((one, index) => {
      const member = roster[index] as string
      const proposal = one?.proposal.toString() ?? null
      const digest = one?.digest ?? null
      const bytes = sealBytes({ ...key, roster: hash, digest, proposal })
      return { member, digest, proposal: one?.proposal ?? null, sig: keysOf(member).sign(bytes) }
    })
  }
}

const A = { digest: fromHex('aa'.repeat(32)), proposal: cidOf(encode('a')) }
const B = { digest: fromHex('bb'.repeat(32)), proposal: cidOf(encode('b')) }

describe('core/roster: epochs', () => {
  it('accepts the FORM of a later epoch with the one before, and not without', () => {
    assert.equal(codeOf(second), 'ok')
    assert.equal(codeOf(second, []), 'FORM_PREVIOUS')
    assert.equal(codeOf(second, [second]), 'FORM_PREVIOUS')
  })

  it('refuses seals that are changed in any respect', () => {
    const [one, two, three] = seal.seals as [
      EpochSeal['seals'][0],
      EpochSeal['seals'][0],
      EpochSeal['seals'][0]
    ]
    const changed = (change: Partial<EpochSeal['seals'][0]>): Form =>
      withSeal({ seals: [{ ...one, ...change }, two, three] })
    assert.equal(codeOf(withPayload({ seal: null })), 'FORM_SEAL')
    assert.equal(codeOf(withSeal({ epoch: 1 })), 'FORM_PREVIOUS')
    assert.equal(codeOf(withSeal({ form: null })), 'FORM_PREVIOUS')
    assert.equal(codeOf(withSeal({ form: second.cid })), 'FORM_PREVIOUS')
    assert.equal(codeOf(withSeal({ roster: [...seal.roster].reverse() })), 'FORM_SEAL')
    assert.equal(codeOf(withSeal({ roster: seal.roster.slice(0, 3) })), 'FORM_SEAL')
    assert.equal(codeOf(withSeal({ seals: [one, two] })), 'FORM_SEAL')
    assert.equal(codeOf(withSeal({ seals: [one, two, two] })), 'FORM_SEAL')
    assert.equal(codeOf(withSeal({ seals: [] })), 'FORM_SEAL')
    assert.equal(codeOf(changed({ member: testKeys(90).did })), 'FORM_SEAL')
    assert.equal(codeOf(changed({ digest: new Uint8Array(32) })), 'FORM_SEAL')
    assert.equal(codeOf(changed({ digest: null })), 'FORM_SEAL')
    assert.equal(codeOf(changed({ proposal: OTHER })), 'FORM_SEAL')
    assert.equal(codeOf(changed({ proposal: null })), 'FORM_SEAL')
    assert.equal(codeOf(changed({ sig: new Uint8Array(64) })), 'FORM_SEAL')
    assert.equal(codeOf(withPayload({ earlierSeals: [seal] })), 'FORM_PREVIOUS')
    assert.equal(codeOf(withPayload({ epoch: 2 })), 'FORM_PREVIOUS')
    assert.equal(codeOf(withPayload({ epoch: 4 })), 'FORM_OTHER_NEED')
  })

  it('refuses seals in the epoch of the NEED', () => {
    const { payload } = first.envelope
    for (const change of [{ seal }, { earlierSeals: [seal] }]) {
      const form = { ...first, envelope: { ...first.envelope, payload: { ...payload, ...change } } }
      assert.equal(codeOf(form as Form, []), 'FORM_SEAL')
    }
  })

  it('lets seals through only if they show one decision at most', () => {
    const check = (shown: readonly Shown[]): string => {
      const form = withPayload({ seal: seals(shown) })
      const carried = carriedBy([first, form])
      const code = codeOf(form)
      // Past the seals, the JOINs of the FORM still hold: they are about the roster.
      if (code !== 'ok') return code
      return carried.ok ? (carried.value?.proposal ?? 'free') : 'conflict'
    }
    const a = A.proposal.toString()
    assert.equal(check([null, null, null]), 'free')
    assert.equal(check([A, A, A]), a)
    assert.equal(check([null, A, null]), a)
    assert.equal(check([A, B, null]), 'FORM_CARRY')
    assert.equal(check([A, { ...A, digest: B.digest }, null]), 'FORM_CARRY')
    assert.equal(check([A, A, B, null]), 'FORM_CARRY')
    assert.equal(check([A, A]), 'FORM_SEAL')
  })

  it('carries a decision on through epochs that did not make it again', () => {
    const third = (shown: readonly Shown[]): ReturnType<typeof carriedBy> => {
      const { roster } = second.envelope.payload
      const next = seals(shown, { epoch: 1, form: second.cid, roster })
      const bound = withPayload({ seal: seals([A, null, null]) })
      return carriedBy([first, bound, withPayload({ epoch: 2, seal: next })])
    }
    const proposal = (shown: readonly Shown[]): string | null => {
      const carried = third(shown)
      return carried.ok ? (carried.value?.proposal ?? null) : carried.refusal.code
    }
    assert.equal(proposal([null, null, null]), A.proposal.toString())
    assert.equal(proposal([{ ...A, digest: B.digest }, null, null]), A.proposal.toString())
    assert.equal(proposal([null, B, null]), 'FORM_CARRY')
  })

  it('takes an epoch that never came to a FORM, sealed by the roster that had promised', () => {
    const { roster } = first.envelope.payload
    const unformed = seals([null, null, null], { form: null, roster })
    assert.equal(codeOf(withPayload({ seal: unformed }), []), 'ok')
    // Who knows a FORM of that epoch is not told that there was none.
    assert.equal(codeOf(withPayload({ seal: unformed }), [first]), 'FORM_PREVIOUS')
    const twice = [roster[0], roster[0], roster[1], roster[2]] as string[]
    const doubled = seals([null, null, null], { form: null, roster: twice })
    assert.equal(codeOf(withPayload({ seal: doubled }), []), 'FORM_SEAL')
  })

  it('refuses a roster without a FORM whose size no group has: three made-up members seal anything', () => {
    const { roster } = first.envelope.payload
    for (const size of [1, 2, 3]) {
      const few = roster.slice(0, size)
      const sealed = seals(
        few.map(() => null),
        { form: null, roster: few }
      )
      assert.equal(codeOf(withPayload({ seal: sealed }), []), 'FORM_SEAL')
    }
  })

  it('wants every epoch sealed since the last FORM', () => {
    const { roster } = first.envelope.payload
    const zero = seals([null, null, null])
    const one = seals([null, null, null], { epoch: 1, form: null, roster })
    const joins = (form: Form): string =>
      codeOf(form).replace('FORM_DRAW', 'ok').replace('FORM_JOINS', 'ok')
    assert.equal(joins(withPayload({ epoch: 2, earlierSeals: [zero], seal: one })), 'ok')
    assert.equal(codeOf(withPayload({ epoch: 2, earlierSeals: [], seal: one })), 'FORM_PREVIOUS')
    assert.equal(
      codeOf(withPayload({ epoch: 2, earlierSeals: [one], seal: zero })),
      'FORM_PREVIOUS'
    )
  })

  it('accepts certificates of both epochs, each with the FORMs before its own', () => {
    for (const { envelope } of decides) {
      const { decision, certificate } = envelope.payload
      assert(checkDecision(decision, certificate, need, testVerify).ok)
    }
    const { outcome, certificate } = finalize.envelope.payload
    const checked = checkOutcome(outcome, certificate, need, testVerify)
    assert(checked.ok && checked.value.previous.length === 1)
    assert.equal(outcome.epoch, 1)
  })

  it('refuses a certificate whose chain of FORMs is broken', () => {
    const { decision, certificate } = decides[1].envelope.payload
    const code = (previous: readonly Uint8Array[]): string => {
      const checked = checkDecision(
        decision,
        { ...certificate, previous: [...previous] },
        need,
        testVerify
      )
      return checked.ok ? 'ok' : checked.refusal.code
    }
    const unsigned = encode({ ...first.envelope, sig: new Uint8Array(64) })
    assert.equal(code([first.bytes]), 'ok')
    assert.equal(code([]), 'FORM_PREVIOUS')
    assert.equal(code([second.bytes]), 'FORM_PREVIOUS')
    assert.equal(code([first.bytes, first.bytes]), 'FORM_PREVIOUS')
    assert.equal(code([need.bytes]), 'CERTIFICATE_FORM')
    assert.equal(code([unsigned]), 'BAD_SIGNATURE')
  })

  it('refuses what a later group certifies against the decision that is carried', () => {
    const { decision, certificate } = decides[1].envelope.payload
    const { outcome } = finalize.envelope.payload
    const { roster } = second.envelope.payload
    const certify = (stage: 'decide' | 'outcome', digest: Uint8Array): Certificate => {
      const group = groupIdOf(second.bytes)
      const bytes = voteBytes({ group, slot: 'slot-1', epoch: 1, stage, digest })
      const votes = roster.map(member => ({ member, sig: keysOf(member).sign(bytes) }))
      return { ...certificate, stage, digest, votes }
    }
    const decided = (proposal: CID): string => {
      const body = { ...decision, proposal }
      const proof = certify('decide', decisionDigest(body))
      const checked = checkDecision(body, proof, need, testVerify)
      return checked.ok ? 'ok' : checked.refusal.code
    }
    const ended = (proposal: CID | null): string => {
      const body = { ...outcome, proposal }
      const proof = certify('outcome', outcomeDigest(body))
      const checked = checkOutcome(body, proof, need, testVerify)
      return checked.ok ? 'ok' : checked.refusal.code
    }
    assert.equal(decided(decision.proposal), 'ok')
    assert.equal(decided(OTHER), 'CERTIFICATE_CARRY')
    assert.equal(ended(decision.proposal), 'ok')
    assert.equal(ended(null), 'ok')
    assert.equal(ended(OTHER), 'CERTIFICATE_CARRY')
  })

  it('refuses a decision of one epoch under the certificate of another', () => {
    const { decision } = decides[0].envelope.payload
    const { certificate } = decides[1].envelope.payload
    const checked = checkDecision({ ...decision, epoch: 1 }, certificate, need, testVerify)
    assert(!checked.ok && checked.refusal.code === 'CERTIFICATE_DIGEST')
    const own = decides[1].envelope.payload
    const other = checkDecision({ ...own.decision, epoch: 0 }, own.certificate, need, testVerify)
    assert(!other.ok)
  })
})
