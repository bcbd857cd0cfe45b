// The decoder against an independent reading of the rules, on damaged canonical bytes: both accept exactly the same.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cidOf, decodeStrict, encode } from '../../src/core/codec/index.ts'
import { isCanonical } from '../support/naive-cbor.ts'

const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('', '1', '10', '2', 'verb', '/', 'constructor', '\ufeffx', '\u{1f41f}', '\uffee')
)
const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.integer({ min: -30, max: 300 }),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uint8Array({ maxLength: 4 }).map(bytes => cidOf(bytes, 0x55))
)
const { value: plain } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5 })
  )
}))

/** Canonical bytes after a few small injuries: what a near miss looks like. */
const damaged = fc
  .tuple(
    plain,
    fc.array(
      fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'insert', 'cut')),
      { maxLength: 3 }
    )
  )
  .map(([value, injuries]) => {
    const bytes = [...encode(value)]
    for (const [at, byte, kind] of injuries) {
      const place = at % (bytes.length + 1)
      bytes.splice(place, kind === 'insert' ? 0 : 1, ...(kind === 'cut' ? [] : [byte]))
    }
    return Uint8Array.from(bytes)
  })

describe('property: codec', () => {
  it('accepts what the independent reading accepts, and nothing else', () => {
    const seen = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(damaged, bytes => {
        const { ok } = decodeStrict(bytes)
        seen[ok ? 'accepted' : 'refused']++
        assert.equal(ok, isCanonical(bytes), Buffer.from(bytes).toString('hex'))
      }),
      { numRuns: 8000 }
    )
    assert.ok(
      seen.accepted > 500 && seen.refused > 500,
      `too one-sided to mean anything: ${JSON.stringify(seen)}`
    )
  })

  it('accepts what the independent reading accepts among arbitrary bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc
        .array(fc.constantFrom(0x81, 0xa1, 0x61, 0x80, 0, 0xd8, 0x2a, 0x41, 0xf6), {
          maxLength: 60
        })
        .map(list => Uint8Array.from(list))
    )
    fc.assert(
      fc.property(bytes, input => assert.equal(decodeStrict(input).ok, isCanonical(input))),
      { numRuns: 8000 }
    )
  })

  it('gives back the bytes it was given', () => {
    fc.assert(
      fc.property(damaged, bytes => {
        const decoded = decodeStrict(bytes)
        if (decoded.ok) assert.deepEqual(encode(decoded.value), bytes)
      }),
      { numRuns: 2000 }
    )
  })
})
