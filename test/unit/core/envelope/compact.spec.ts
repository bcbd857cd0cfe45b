/**
 * Goal: an envelope in less memory is the same envelope, for any content. Method: what parsing gives is encoded again; byte fields share one buffer; links and names
 * are one object; bytes that are hard to search cost no more than others.
 */
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { CID, cidOf, decodeStrict, encode } from '../../../../src/core/codec/index.ts'
import { compact, shareLink } from '../../../../src/core/envelope/compact.ts'

const value = fc.letrec(tie => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(new Uint8Array(30)),
    fc.string({ maxLength: 60 }),
    fc.integer(),
    fc.constant(null),
    fc.uint8Array({ minLength: 1, maxLength: 3 }).map(bytes => cidOf(bytes)),
    fc.array(tie('any'), { maxLength: 5 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/u), tie('any'), {
      maxKeys: 5,
      noNullPrototype: true
    })
  )
})).any

describe('core/envelope/compact', () => {
  it('changes nothing about what was decoded', () => {
    fc.assert(
      fc.property(value, content => {
        const bytes = encode({ content })
        const decoded = decodeStrict(bytes)
        assert(decoded.ok)
        compact(decoded.value, bytes)
        assert.deepEqual(encode(decoded.value), bytes)
      }),
      { numRuns: 500 }
    )
  })

  it('has byte fields lie in the bytes that they came from, and links and names be one', () => {
    const name = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
    const link = cidOf(Uint8Array.of(1))
    const make = (): { bytes: Uint8Array; value: Record<string, unknown> } => {
      const bytes = encode({
        name,
        link,
        digest: new Uint8Array(32).fill(7),
        list: [new Uint8Array(64)]
      })
      const decoded = decodeStrict(bytes)
      assert(decoded.ok)
      compact(decoded.value, bytes)
      return { bytes, value: decoded.value as Record<string, unknown> }
    }
    const [first, second] = [make(), make()]
    assert.equal((first.value['digest'] as Uint8Array).buffer, first.bytes.buffer)
    assert.equal((first.value['list'] as Uint8Array[])[0]?.buffer, first.bytes.buffer)
    assert.equal(first.value['link'], second.value['link'])
    assert.equal(shareLink(CID.parse(link.toString())), first.value['link'])
  })

  it('gives up a search that was made to be long, and keeps the copy', () => {
    const bytes = encode({
      a: '\0'.repeat(4_000),
      b: new Uint8Array(50_000).fill(0, 0).fill(1, 49_999)
    })
    const decoded = decodeStrict(bytes)
    assert(decoded.ok)
    compact(decoded.value, bytes)
    assert.notEqual((decoded.value as { b: Uint8Array }).b.buffer, bytes.buffer)
    assert.deepEqual(encode(decoded.value), bytes)
  })
})
