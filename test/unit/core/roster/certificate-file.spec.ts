/**
 * Goal: a certificate file says the truth by its own bytes, and nothing else is taken for one.
 * Method: the files of a finished thread, whole, with each byte changed, and with parts of other threads.
 */
import { strict as assert } from 'node:assert'
import { encode } from '../../../../src/core/codec/index.ts'
import {
  type CertifiedClaim,
  checkCertificateFile,
  decodeCertificateFile,
  encodeCertificateFile
} from '../../../../src/core/roster/index.ts'
import { type Samples, sampleEvidence } from '../../../support/sample-evidence.ts'
import { testVerify } from '../../../support/swarm-cluster.ts'
import { twoEpochs } from '../../../support/two-epochs.ts'

describe('core/roster: certificate files', function () {
  this.timeout(60_000)
  let samples: Samples
  before(() => {
    samples = sampleEvidence()
  })

  function judge(bytes: Uint8Array): CertifiedClaim | string {
    const decoded = decodeCertificateFile(bytes)
    if (!decoded.ok) return decoded.refusal.code
    const checked = checkCertificateFile(decoded.value, testVerify)
    return checked.ok ? checked.value : checked.refusal.code
  }

  it('say what is certified, of which tier, and who signed', () => {
    const { need, decide, finalize, roster } = samples
    const common = {
      thread: need.id,
      requester: need.envelope.sender,
      slot: 'slot-1',
      epoch: 0,
      tier: 'discovery',
      roster,
      quorum: 3
    }
    for (const [stage, { bytes, envelope }] of Object.entries({ decide, outcome: finalize })) {
      const claim = judge(encodeCertificateFile({ need: need.bytes, envelope: bytes }))
      assert(typeof claim !== 'string', String(claim))
      const { group, signers, decision, outcome, ...rest } = claim
      assert.deepEqual(rest, { ...common, verb: envelope.verb, stage })
      assert.match(group, /^[0-9a-f]{64}$/u)
      assert(signers.length >= 3 && signers.every(did => roster.includes(did)))
      assert.equal(decision === null, stage === 'outcome')
      assert.equal(outcome?.result, stage === 'outcome' ? 'FINAL' : undefined)
    }
  })

  it('of a later epoch show how the epochs before were sealed', () => {
    const { need, forms, decides, finalize } = twoEpochs()
    for (const { bytes } of [decides[1], finalize]) {
      const claim = judge(encodeCertificateFile({ need: need.bytes, envelope: bytes }))
      assert(typeof claim !== 'string', String(claim))
      assert.equal(claim.epoch, 1)
      assert.deepEqual(claim.roster, forms[1].envelope.payload.roster)
    }
    const { payload } = decides[1].envelope
    const certificate = { ...payload.certificate, previous: [] }
    const changed = { ...decides[1].envelope, payload: { ...payload, certificate } } as never
    const { bytes } = samples.cluster.seal(samples.keysOf(samples.requester), changed, 1)
    const alone = judge(encodeCertificateFile({ need: need.bytes, envelope: bytes }))
    assert.equal(alone, 'FORM_PREVIOUS')
  })

  it('are refused with any one byte changed', () => {
    const { need, finalize } = samples
    const bytes = encodeCertificateFile({ need: need.bytes, envelope: finalize.bytes })
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ 0x20
      assert.equal(typeof judge(changed), 'string', `byte ${at}`)
    }
  })

  it('are refused when their parts do not belong together', () => {
    const { need, otherNeed, form, decide, finalize } = samples
    const file = (of: Uint8Array, envelope: Uint8Array): CertifiedClaim | string =>
      judge(encodeCertificateFile({ need: of, envelope }))
    assert.equal(file(otherNeed.bytes, decide.bytes), 'CERTIFICATE_OTHER_NEED')
    assert.equal(file(need.bytes, form.bytes), 'PROOF_VERB')
    assert.equal(file(decide.bytes, decide.bytes), 'PROOF_VERB')
    const { envelope } = finalize
    const invalidate = samples.cluster.seal(
      samples.keysOf(samples.requester),
      { ...envelope, verb: 'INVALIDATE' } as never,
      1
    )
    assert.equal(file(need.bytes, invalidate.bytes), 'CERTIFICATE_VERB')
  })

  it('are refused when they are none: other version, other shape, too large, not canonical', () => {
    const { need, decide } = samples
    const file = { need: need.bytes, envelope: decide.bytes }
    const bytes = encodeCertificateFile(file)
    assert.equal(judge(new Uint8Array(200 * 1024)), 'PROOF_TOO_LARGE')
    assert.equal(judge(bytes.slice(1)), 'NOT_CANONICAL')
    assert.equal(judge(encode({ ...file, format: 'can-swarm/certificate/v2' })), 'PROOF_FORMAT')
    assert.equal(judge(encode({ format: 'can-swarm/certificate/v1' })), 'PROOF_SHAPE')
  })
})
