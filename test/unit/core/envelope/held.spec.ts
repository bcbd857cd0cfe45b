/**
 * Goal: an envelope at rest is the same envelope in less memory. Method: what is parsed lies in the buffer that it was parsed out of, which shows whether
 * and where it was read again.
 */
import { strict as assert } from 'node:assert'
import { concat } from '../../../../src/core/base/index.ts'
import {
  type Admitted,
  holdIn,
  letRest,
  parseEnvelope,
  READ_AGAIN_MAX,
  VERBS
} from '../../../../src/core/envelope/index.ts'
import { sampleEnvelope } from '../../../support/sample-envelopes.ts'

function parsed(bytes: Uint8Array): Admitted {
  const read = parseEnvelope(bytes)
  assert(read.ok)
  return read.value
}

/** The same bytes in the middle of others. */
function within({ bytes }: Admitted): Uint8Array {
  return concat([new Uint8Array(5), bytes, new Uint8Array(3)]).subarray(5, 5 + bytes.length)
}

describe('core/envelope/held', () => {
  for (const verb of VERBS) {
    it(`reads ${verb} again as it was, and once while it is read`, () => {
      const admitted = parsed(sampleEnvelope(verb).bytes)
      const before = admitted.envelope
      letRest(admitted)
      const again = admitted.envelope
      assert.notEqual(again, before)
      assert.deepEqual(again, before)
      assert.equal(admitted.envelope, again)
    })
  }

  it('lies in the bytes that it was moved to, and holds nothing of its own once it has rested', () => {
    const admitted = parsed(sampleEnvelope('PROPOSE').bytes)
    const own = admitted.bytes.buffer
    const place = within(admitted)
    holdIn(admitted, place)
    assert.equal(admitted.bytes, place)
    assert.deepEqual(admitted.bytes, sampleEnvelope('PROPOSE').bytes)
    assert.equal(admitted.envelope.sig.buffer, own)
    letRest(admitted)
    assert.equal(admitted.envelope.sig.buffer, place.buffer)
  })

  it('does not move to bytes of another length', () => {
    const admitted = parsed(sampleEnvelope('PROPOSE').bytes)
    assert.throws(() => holdIn(admitted, admitted.bytes.subarray(1)), /the same/u)
  })

  it('lets the one rest that was read again longest ago when there are too many', () => {
    const many = Array.from({ length: READ_AGAIN_MAX + 1 }, () =>
      parsed(sampleEnvelope('CLAIM').bytes)
    )
    for (const admitted of many) letRest(admitted)
    const read = many.map(({ envelope }) => envelope)
    const [first, second] = many as [Admitted, Admitted]
    assert.equal(second.envelope, read[1])
    assert.notEqual(first.envelope, read[0])
    assert.deepEqual(first.envelope, read[0])
  })

  it('keeps an envelope that was never at rest, however many are read', () => {
    const awake = parsed(sampleEnvelope('NEED').bytes)
    const { envelope } = awake
    for (let count = 0; count < 2 * READ_AGAIN_MAX; count++) {
      const other = parsed(sampleEnvelope('CLAIM').bytes)
      letRest(other)
      assert.equal(other.envelope.verb, 'CLAIM')
    }
    assert.equal(awake.envelope, envelope)
  })
})
