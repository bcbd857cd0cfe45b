// The stateless stages of the door: what each verb looks like, and how each rule is broken.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { ENVELOPE_BYTES_MAX } from '../../../../src/core/base/index.ts'
import { cidOf, encode } from '../../../../src/core/codec/index.ts'
import {
  checkDraft,
  type Draft,
  ENVELOPE_REFUSALS,
  PLACE_OF_VERB,
  parseEnvelope,
  sealEnvelope,
  signedBytes,
  signingBytes,
  TAGS,
  unsignedEnvelope,
  VERBS,
  type Verb
} from '../../../../src/core/envelope/index.ts'
import { verifyReference } from '../../../../src/core/identity/index.ts'
import { SIGNERS, sampleCid, sampleDraft } from '../../../support/sample-drafts.ts'
import { sampleEnvelope, sampleStamp, sign } from '../../../support/sample-envelopes.ts'

function codeOf(bytes: Uint8Array): string {
  const parsed = parseEnvelope(bytes)
  return parsed.ok ? 'accepted' : parsed.refusal.code
}

/** The bytes of a sample with some fields replaced; undefined removes one. */
function broken(verb: Verb, change: Record<string, unknown>): Uint8Array {
  const fields = { ...sampleEnvelope(verb).envelope, ...change }
  return encode(
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  )
}

describe('core/envelope/parse', () => {
  for (const verb of VERBS) {
    it(`takes ${verb}, and encodes what it parsed to the same bytes`, () => {
      const sealed = sampleEnvelope(verb)
      const parsed = parseEnvelope(sealed.bytes)
      assert.ok(parsed.ok, inspect(parsed))
      const { id, cid, bytes, verb: said, sender, lamport, envelope } = parsed.value
      assert.deepEqual({ id, cid, bytes, verb: said, sender, lamport, envelope }, sealed)
      assert.deepEqual(encode(parsed.value.envelope), sealed.bytes)
      assert.equal(parsed.value.id, cidOf(sealed.bytes).toString())
      assert.ok(
        verifyReference(
          sealed.envelope.sender,
          signingBytes(parsed.value.envelope),
          sealed.envelope.sig
        )
      )
    })

    it(`takes the draft of ${verb} as receivers will see it`, () => {
      const checked = checkDraft(sampleDraft(verb))
      assert.ok(checked.ok, inspect(checked))
      assert.deepEqual(checked.value, sampleDraft(verb))
    })

    it(`refuses ${verb} in any other place`, () => {
      const { thread, epoch, fence } = PLACE_OF_VERB[verb]
      assert.equal(codeOf(broken(verb, { thread: thread ? null : sampleCid('x') })), 'BAD_THREAD')
      if (!fence) assert.equal(codeOf(broken(verb, { epoch: epoch ? null : 0 })), 'BAD_EPOCH')
      assert.equal(codeOf(broken(verb, { fence: fence ? null : [0, 1, 1] })), 'BAD_FENCE')
      if (fence) assert.equal(codeOf(broken(verb, { epoch: 1 })), 'BAD_FENCE')
    })

    it(`refuses ${verb} with an unknown or missing payload field`, () => {
      const { payload } = sampleEnvelope(verb).envelope
      assert.equal(codeOf(broken(verb, { payload: { ...payload, extra: 1 } })), 'BAD_PAYLOAD')
      const [first] = Object.keys(payload) as [string]
      const rest = Object.fromEntries(Object.entries(payload).filter(([key]) => key !== first))
      assert.equal(codeOf(broken(verb, { payload: rest })), 'BAD_PAYLOAD')
    })
  }

  it('refuses each envelope field that is missing, unknown or of the wrong form', () => {
    for (const field of Object.keys(sampleEnvelope('COMMIT').envelope)) {
      const code = field === 'payload' ? 'BAD_PAYLOAD' : 'BAD_SHAPE'
      assert.equal(codeOf(broken('COMMIT', { [field]: undefined })), 'BAD_SHAPE', field)
      assert.equal(codeOf(broken('COMMIT', { [field]: { a: 'map' } })), code, field)
    }
    assert.equal(codeOf(broken('COMMIT', { id: 'x' })), 'BAD_SHAPE')
  })

  it('refuses fields beyond their limits', () => {
    const wrong: Record<string, unknown>[] = [
      { nonce: new Uint8Array(15) },
      { sig: new Uint8Array(65) },
      { policyEngine: new Uint8Array(31) },
      { lamport: -1 },
      { lamport: 2n ** 53n },
      { notAfter: -1 },
      { refs: new Array(257).fill(sampleCid('x')) },
      { capability: 'x'.repeat(4097) },
      { sender: `${SIGNERS[0]?.did}x` },
      { traceparent: 'ff-00000000000000000000000000000000-0000000000000000-00' },
      { traceparent: '' }
    ]
    for (const change of wrong)
      assert.equal(codeOf(broken('MANIFEST', change)), 'BAD_SHAPE', Object.keys(change)[0])
  })

  it('refuses amounts that are negative or beyond 63 bits', () => {
    const { payload } = sampleEnvelope('MANIFEST').envelope
    for (const price of [-1, 2n ** 63n, '5']) {
      assert.equal(codeOf(broken('MANIFEST', { payload: { ...payload, price } })), 'BAD_PAYLOAD')
    }
    assert.equal(codeOf(broken('MANIFEST', { payload: { ...payload, price: 0 } })), 'accepted')
  })

  it('refuses an unknown verb and another version before anything else of the shape', () => {
    assert.equal(codeOf(broken('NEED', { verb: 'WANT', payload: 1 })), 'UNKNOWN_VERB')
    assert.equal(codeOf(broken('NEED', { verb: 'constructor' })), 'UNKNOWN_VERB')
    assert.equal(codeOf(broken('NEED', { verb: 1 })), 'BAD_SHAPE')
    assert.equal(codeOf(broken('NEED', { v: 2, verb: 'WANT' })), 'UNSUPPORTED_VERSION')
    assert.equal(codeOf(broken('NEED', { v: 0 })), 'UNSUPPORTED_VERSION')
    assert.equal(codeOf(broken('NEED', { v: '1' })), 'BAD_SHAPE')
  })

  it('refuses what is no map', () => {
    for (const value of [null, 1, 'NEED', [], new Uint8Array(3), sampleCid('x')]) {
      assert.equal(codeOf(encode(value)), 'BAD_SHAPE')
    }
  })

  it('checks the length before it decodes', () => {
    assert.equal(codeOf(new Uint8Array(ENVELOPE_BYTES_MAX + 1)), 'TOO_LARGE')
    assert.equal(codeOf(new Uint8Array(ENVELOPE_BYTES_MAX).fill(0x81)), 'TOO_DEEP')
    assert.equal(codeOf(new Uint8Array(0)), 'NOT_CANONICAL')
  })

  it('takes an envelope of exactly the largest size', () => {
    const fill = (length: number): Uint8Array =>
      broken('DECIDE', {
        payload: {
          ...sampleDraft('DECIDE').payload,
          certificate: {
            ...sampleDraft('DECIDE').payload.certificate,
            form: new Uint8Array(length)
          }
        }
      })
    const length = 60_000 + ENVELOPE_BYTES_MAX - fill(60_000).length
    assert.equal(fill(length).length, ENVELOPE_BYTES_MAX)
    assert.equal(codeOf(fill(length)), 'accepted')
    assert.equal(codeOf(fill(length + 1)), 'TOO_LARGE')
  })

  it('keeps a copy of the bytes, also of a Buffer', () => {
    const { bytes, id } = sampleEnvelope('NEED')
    const buffer = Buffer.from(bytes)
    const parsed = parseEnvelope(buffer)
    buffer.fill(0)
    assert.ok(parsed.ok)
    assert.deepEqual(parsed.value.bytes, bytes)
    assert.equal(cidOf(parsed.value.bytes).toString(), id)
    assert.equal(
      parsed.value.envelope.sig.some(byte => byte !== 0),
      true
    )
  })

  it('names the place of a fault, and nothing of what stood there', () => {
    const { payload } = sampleEnvelope('NEED').envelope
    const deep = parseEnvelope(
      broken('NEED', { payload: { ...payload, windows: { ...payload.windows, bidMs: 'secret' } } })
    )
    assert.ok(!deep.ok)
    assert.match(deep.refusal.message, /windows\.bidMs$/u)
    const unknown = parseEnvelope(
      broken('NEED', { payload: { ...payload, '\u001b[31m<b>': 'secret' } })
    )
    assert.ok(!unknown.ok)
    assert.match(unknown.refusal.message, /^[\x20-\x7e]*$/u)
    assert.doesNotMatch(unknown.refusal.message, /secret|</u)
  })

  it('has a sentence and a rule for each refusal', () => {
    for (const [code, { rule, message }] of Object.entries(ENVELOPE_REFUSALS)) {
      assert.match(code, /^[A-Z_]+$/u)
      assert.match(rule, /^ENV-\d+$/u)
      assert.ok(message.length > 10)
    }
  })
})

describe('core/envelope/checkDraft', () => {
  it('refuses what the door would refuse', () => {
    const draft = sampleDraft('COMMIT')
    const code = (change: object): string => {
      const checked = checkDraft({ ...draft, ...change } as Draft)
      return checked.ok ? 'accepted' : checked.refusal.code
    }
    assert.equal(code({ verb: 'WANT' }), 'UNKNOWN_VERB')
    assert.equal(code({ capability: undefined }), 'BAD_SHAPE')
    assert.equal(code({ notAfter: 1.5 }), 'BAD_SHAPE')
    assert.equal(code({ extra: 1 }), 'BAD_SHAPE')
    assert.equal(
      code({
        payload: { ...draft.payload, telemetry: { ...draft.payload.telemetry, tokens: 1.5 } }
      }),
      'BAD_PAYLOAD'
    )
    assert.equal(
      code({
        payload: { ...draft.payload, telemetry: { ...draft.payload.telemetry, exitStatus: 0.5 } }
      }),
      'BAD_PAYLOAD'
    )
    assert.equal(code({ thread: null }), 'BAD_THREAD')
    assert.equal(code({ epoch: null }), 'BAD_EPOCH')
    assert.equal(code({ fence: [1, 0, 0] }), 'BAD_FENCE')
  })

  it('refuses text that would not survive encoding', () => {
    const draft = sampleDraft('YIELD')
    for (const reason of ['\ud800', 'a\udc00b', '\ufeffmark']) {
      const checked = checkDraft({ ...draft, payload: { ...draft.payload, reason } })
      assert.equal(checked.ok ? 'accepted' : checked.refusal.code, 'BAD_PAYLOAD')
    }
  })
})

describe('core/envelope/seal', () => {
  const signer = SIGNERS[0] as (typeof SIGNERS)[0]

  it('signs every field but sig', () => {
    const { envelope } = sampleEnvelope('COMMIT')
    const signed = Buffer.from(signingBytes(envelope)).toString('hex')
    for (const field of Object.keys(envelope)) {
      const changed = Buffer.from(signingBytes({ ...envelope, [field]: 'changed' })).toString('hex')
      assert.equal(changed === signed, field === 'sig', field)
    }
  })

  it('cuts the signed bytes of every verb out of its envelope', () => {
    for (const verb of VERBS) {
      const admitted = sampleEnvelope(verb)
      assert.deepEqual(signedBytes(admitted), signingBytes(admitted.envelope), verb)
    }
  })

  it('cuts nothing out of what is no envelope', () => {
    const { bytes } = sampleEnvelope('NEED')
    assert.throws(() => signedBytes({ bytes: bytes.subarray(1) }), /version and signature/u)
  })

  it('begins the signed bytes with the envelope tag', () => {
    const unsigned = unsignedEnvelope(sampleDraft('NEED'), sampleStamp(signer))
    assert.ok(
      Buffer.from(signingBytes(unsigned))
        .subarray(0, 22)
        .equals(Buffer.from(`${TAGS.envelope}\0`))
    )
  })

  it('takes no field that is not of the envelope along', () => {
    const unsigned = unsignedEnvelope(
      { ...sampleDraft('NEED'), id: 'x' } as Draft<'NEED'>,
      sampleStamp(signer)
    )
    const sealed = sealEnvelope({ ...unsigned, extra: 1 } as typeof unsigned, new Uint8Array(64))
    assert.equal(codeOf(sealed.bytes), 'accepted')
  })

  it('gives another id for another signature', () => {
    const unsigned = unsignedEnvelope(sampleDraft('NEED'), sampleStamp(signer))
    assert.notEqual(
      sealEnvelope(unsigned, new Uint8Array(64)).id,
      sealEnvelope(unsigned, new Uint8Array(64).fill(1)).id
    )
  })

  it('is deterministic', () => {
    assert.equal(sign(sampleDraft('PROPOSE')).id, sign(sampleDraft('PROPOSE')).id)
  })
})
