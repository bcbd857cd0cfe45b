/**
 * Goal: evidence convicts by its own bytes, exactly the offender, and no change of it convicts anybody else.
 * Method: one offence of each kind, made with real keys over a real thread; then every field and every byte is changed.
 */
import { strict as assert } from 'node:assert'
import { encode } from '../../../../src/core/codec/index.ts'
import {
  checkEvidence,
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  joinBytes,
  type Offence
} from '../../../../src/core/roster/index.ts'
import {
  OTHER_DIGEST,
  type Samples,
  sampleEvidence,
  subjectBytes
} from '../../../support/sample-evidence.ts'
import { testVerify } from '../../../support/swarm-cluster.ts'

describe('core/roster: evidence', function () {
  this.timeout(60_000)
  let samples: Samples
  before(() => {
    samples = sampleEvidence()
  })

  const offences = (): Offence[] => Object.keys(samples.evidence) as Offence[]

  /** What evidence of these bytes comes to: who is convicted, or the code of the refusal. */
  function judge(bytes: Uint8Array): readonly string[] | string {
    const decoded = decodeEvidence(bytes)
    if (!decoded.ok) return decoded.refusal.code
    const checked = checkEvidence(decoded.value, testVerify)
    return checked.ok ? checked.value.convicted : checked.refusal.code
  }

  const judged = (evidence: Evidence): readonly string[] | string => judge(encodeEvidence(evidence))

  it('convicts exactly the offender of each offence', () => {
    for (const offence of offences()) {
      const evidence = samples.evidence[offence]
      const checked = checkEvidence(evidence, testVerify)
      assert(checked.ok, `${offence}: ${checked.ok ? '' : checked.refusal.message}`)
      assert.deepEqual(checked.value, {
        offence,
        convicted: samples.convicted[offence],
        thread: samples.need.id,
        slot: 'slot-1',
        epoch: 0
      })
      assert(checked.value.convicted.length > 0)
    }
  })

  it('has one form, whichever statement came first', () => {
    for (const offence of offences()) {
      const evidence = samples.evidence[offence]
      const flipped = Object.fromEntries(
        Object.entries(evidence).map(([key, value]) => [
          key,
          Array.isArray(value) && value.length === 2 ? [value[1], value[0]] : value
        ])
      ) as Evidence
      assert.deepEqual(encodeEvidence(flipped), encodeEvidence(evidence), offence)
      if (['sealed-vote', 'false-seal', 'broken-chain'].includes(offence)) continue
      const swapped = [evidence, flipped].map(one => judge(encode(one)))
      assert(swapped.includes('PROOF_SHAPE'), `${offence}: the wrong order is refused`)
    }
  })

  it('is refused, or convicts the same, with any one byte changed', () => {
    for (const [index, offence] of offences().entries()) {
      const bytes = encodeEvidence(samples.evidence[offence])
      let refused = 0
      // Most bytes are FORMs, which all kinds share: each kind looks at another fifth of them.
      for (let at = index % 5; at < bytes.length; at += 5) {
        const changed = bytes.slice()
        changed[at] = (changed[at] as number) ^ 0x41
        const verdict = judge(changed)
        if (typeof verdict === 'string') refused += 1
        else assert.deepEqual(verdict, samples.convicted[offence], `${offence} at ${at}`)
      }
      assert(refused > 100, offence)
    }
  })

  it('is no offence when the two statements agree', () => {
    const { evidence } = samples
    const { votes } = evidence['two-votes']
    const { joins } = evidence['two-joins']
    const { forms } = evidence['two-forms']
    const { certificates } = evidence['two-certificates']
    const { seals } = evidence['two-seals']
    const shown = { ...evidence['sealed-vote'].vote, ...votes.find(vote => vote.digest[0] === 7) }
    const agreeing: Evidence[] = [
      { ...evidence['two-seals'], seals: [seals[0], seals[0]] },
      { ...evidence['sealed-vote'], vote: shown, seal: seals[1] },
      { ...evidence['two-votes'], votes: [votes[0], votes[0]] },
      { ...evidence['two-joins'], joins: [joins[0], joins[0]] },
      { ...evidence['two-forms'], forms: [forms[0], forms[0]] },
      { ...evidence['two-certificates'], certificates: [certificates[0], certificates[0]] }
    ]
    for (const one of agreeing) assert.equal(judged(one), 'PROOF_AGREES', one.offence)
  })

  it('is no offence when the statements are about different things', () => {
    const { evidence, finalize, form, otherForm, need } = samples
    const outcome = finalize.envelope.payload.certificate
    const [certified] = evidence['two-certificates'].certificates
    assert.equal(
      judged({
        ...evidence['two-certificates'],
        certificates: [certified, { ...outcome, votes: outcome.votes.slice(0, 4) }]
      }),
      'PROOF_UNRELATED',
      'a decision and its outcome'
    )
    const mine = samples.cluster.seal(
      samples.keysOf(samples.member),
      { ...otherForm.envelope, thread: need.cid } as never,
      1
    )
    assert.equal(
      judged({ ...evidence['two-forms'], forms: [form.bytes, mine.bytes] }),
      'PROOF_UNRELATED',
      'FORMs of two senders'
    )
  })

  it('convicts nobody of a chain that holds, also where the FORM was still on its way', () => {
    const { evidence, form, roster, cluster, keysOf, requester } = samples
    const judgeSeal = (change: object): readonly string[] | string => {
      const { envelope } = form
      const seal = { epoch: 0, form: form.cid, roster: [...roster], seals: [], ...change }
      const payload = { ...envelope.payload, epoch: 1, seal }
      const changed = { ...envelope, epoch: 1, payload } as never
      const later = cluster.seal(keysOf(requester), changed, 1).bytes
      return judged({ ...evidence['broken-chain'], later })
    }
    assert.equal(judgeSeal({}), 'PROOF_AGREES')
    assert.equal(judgeSeal({ form: null }), 'PROOF_AGREES')
    assert.deepEqual(judgeSeal({ form: samples.otherForm.cid }), [requester])
    assert.deepEqual(judgeSeal({ roster: roster.slice(1) }), [requester])
    assert.equal(judgeSeal({ epoch: 5 }), 'PROOF_UNRELATED')
  })

  it('convicts of any outcome vote in an epoch that the member left', () => {
    const { evidence, form, keysOf, member } = samples
    const two = evidence['sealed-vote']
    const sig = keysOf(member).sign(subjectBytes(form, 'outcome', OTHER_DIGEST))
    const vote = { ...two.vote, digest: OTHER_DIGEST, sig }
    const [, shows] = evidence['two-seals'].seals
    assert.deepEqual(judged({ ...two, stage: 'outcome', vote, seal: shows }), [member])
  })

  it('takes a vote for another stage, group or member for no vote', () => {
    const { evidence, roster, requester, otherForm } = samples
    const two = evidence['two-votes']
    const [vote] = two.votes
    const other = roster.find(did => did !== two.member) as string
    assert.equal(judged({ ...two, stage: 'outcome' }), 'BAD_SIGNATURE')
    assert.equal(judged({ ...two, member: other }), 'BAD_SIGNATURE')
    const outsider = samples.cluster.nodes.find(({ did }) => !roster.includes(did))?.did
    assert(outsider !== undefined && requester !== undefined)
    assert.equal(judged({ ...two, member: outsider }), 'PROOF_STRANGER')
    const elsewhere = { ...vote, form: otherForm.bytes, digest: OTHER_DIGEST }
    assert.equal(judged({ ...two, votes: [vote, elsewhere] }), 'BAD_SIGNATURE')
  })

  it('convicts nobody of statements about two NEEDs of one slot: what was promised for the first may be forgotten', () => {
    const { evidence, otherNeed, otherForm, keysOf, member, requester, cluster } = samples
    const [join, second] = evidence['two-joins'].joins
    const key = { thread: otherNeed.id, slot: 'slot-1', epoch: 0 }
    const sig = keysOf(member).sign(joinBytes(key, second.roster))
    const joins: (typeof evidence)['two-joins']['joins'] = [join, { ...second, sig }]
    assert.equal(judged({ ...evidence['two-joins'], joins }), 'BAD_SIGNATURE')
    const { envelope } = otherForm
    const payload = { ...envelope.payload, need: otherNeed.cid }
    const changed = { ...envelope, thread: otherNeed.cid, payload } as never
    const form = cluster.seal(keysOf(requester), changed, 1) as typeof otherForm
    const voted = {
      form: form.bytes,
      digest: OTHER_DIGEST,
      sig: keysOf(member).sign(subjectBytes(form, 'decide', OTHER_DIGEST))
    }
    const [vote] = evidence['two-votes'].votes
    assert.equal(judged({ ...evidence['two-votes'], votes: [vote, voted] }), 'PROOF_UNRELATED')
  })

  it('refuses a certificate with a vote that does not count, and certificates that share no signer', () => {
    const { evidence } = samples
    const two = evidence['two-certificates']
    const [one, other] = two.certificates
    const votes = [...other.votes, other.votes[0] as (typeof other.votes)[0]]
    assert.equal(judged({ ...two, certificates: [one, { ...other, votes }] }), 'PROOF_STRANGER')
  })

  it('is refused when it is none: other format, other shape, too large, not canonical', () => {
    const bytes = encodeEvidence(samples.evidence['two-votes'])
    assert.equal(judge(new Uint8Array(300 * 1024)), 'PROOF_TOO_LARGE')
    assert.equal(judge(new Uint8Array([0xff])), 'NOT_CANONICAL')
    assert.equal(judge(bytes.slice(0, -1)), 'NOT_CANONICAL')
    assert.equal(judge(encode({ format: 'can-swarm/evidence/v2' })), 'PROOF_FORMAT')
    assert.equal(judge(encode(null)), 'PROOF_FORMAT')
    assert.equal(judge(encode({ ...samples.evidence['two-votes'], more: 1 })), 'PROOF_SHAPE')
    assert.equal(judge(encode({ ...samples.evidence['two-votes'], offence: 'x' })), 'PROOF_SHAPE')
  })
})
