/**
 * Goal: the one-pass reader and writer give the answers of the library on any input (R1). Method: random values written by both; random and
 * damaged bytes read by both; and the shapes that a reader gets wrong first.
 */
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import {
  cidOf,
  decodeReference,
  decodeStrict,
  encode,
  encodeReference,
  hash,
  tagBytes,
  taggedBytes,
  taggedHash
} from '../../../../src/core/codec/index.ts'
import { readPlain } from '../../../../src/core/codec/plain-reader.ts'
import { writePlain } from '../../../../src/core/codec/plain-writer.ts'

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

const text = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '\ufeff',
    '\ufeffa',
    'a\ufeff',
    '\0',
    'a'.repeat(128),
    'a'.repeat(129),
    '\u{10ffff}'
  )
)
const scalar = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  text,
  fc.maxSafeInteger(),
  fc.nat({ max: 300 }),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
  fc.constantFrom(null, true, false, -0, 2 ** 53 - 1, 1 - 2 ** 53, -(2n ** 53n), 2n ** 53n),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map(data => cidOf(data, 0x55)),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map(data => cidOf(data))
)
const value = fc.letrec(tie => ({
  any: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie('any'), { maxLength: 30 }),
    fc.dictionary(fc.oneof(fc.stringMatching(/^[a-z0-9]{0,5}$/u), text), tie('any'), {
      maxKeys: 30,
      noNullPrototype: true
    })
  )
})).any

/** Both judge alike, and give the same value. */
function agree(input: Uint8Array): void {
  const reference = decodeReference(input)
  const read = readPlain(input, false)
  assert.equal(read !== undefined, reference.ok, Buffer.from(input).toString('hex'))
  if (reference.ok) assert.deepEqual(read, reference.value)
  assert.deepEqual(decodeStrict(input), reference)
}

describe('core/codec/plain', () => {
  it('writes what the library writes', () => {
    fc.assert(
      fc.property(value, content => {
        assert.deepEqual(encode(content), encodeReference(content))
      }),
      { numRuns: 1_000 }
    )
  })

  it('writes all that protocols say by itself', () => {
    const content = {
      zz: 1,
      a: ['x', 'ü', 2n ** 62n, -5],
      b: { c: null, d: true },
      e: new Uint8Array(70_000),
      l: cidOf(new Uint8Array())
    }
    assert.deepEqual(writePlain(content), encodeReference(content))
    assert.equal(encode(Buffer.from('ab')).constructor, Uint8Array)
    assert.deepEqual(encode(Buffer.from('ab')), encodeReference(Buffer.from('ab')))
  })

  it('hashes under a tag what the library writes, whatever was written before', () => {
    const kept = encode({ a: new Uint8Array(200) })
    const large = new Uint8Array(2 ** 21).fill(7)
    for (const one of [1, 'ü', [large], { ü: 1, a: 2 }, [], new Uint8Array(70_000), null]) {
      const expected = tagBytes('some/tag', encodeReference(one))
      assert.deepEqual(taggedHash('some/tag', one), hash(expected))
      assert.deepEqual(taggedBytes('some/tag', one), expected)
    }
    assert.deepEqual(kept, encodeReference({ a: new Uint8Array(200) }))
  })

  it('leaves to the library what is not plain data', () => {
    const odd = [
      1.5,
      undefined,
      [undefined],
      { a: undefined },
      new Map([['a', 1]]),
      { ü: 1 },
      '\ud800'
    ]
    for (const one of [...odd, Number.NaN, 2 ** 53, 2n ** 64n, { '/': 1 }, new Date(0)])
      assert.equal(writePlain(one), null)
    assert.throws(() => encode({ a: undefined }))
    assert.throws(() => encode(Number.NaN))
    assert.deepEqual(encode({ ü: 1, a: 2, zz: 3 }), encodeReference({ ü: 1, a: 2, zz: 3 }))
    const circle: unknown[] = []
    circle.push(circle)
    assert.throws(() => encode(circle))
  })

  it('reads what the library reads, and refuses what it refuses', () => {
    fc.assert(
      fc.property(value, content => agree(encodeReference(content))),
      { numRuns: 1_000 }
    )
  })

  it('agrees on damaged bytes', () => {
    const damage = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 2))
    fc.assert(
      fc.property(value, fc.array(damage, { minLength: 1, maxLength: 3 }), (content, damages) => {
        let input = encodeReference({ content, list: [1, 'text', new Uint8Array(3)] })
        for (const [place, byte, kind] of damages) {
          const at = place % input.length
          const before = [...input.subarray(0, at)]
          const after = [...input.subarray(kind === 1 ? at : at + 1)]
          input = Uint8Array.from(kind === 2 ? [...before, ...after] : [...before, byte, ...after])
        }
        agree(input)
      }),
      { numRuns: 1_500 }
    )
  })

  it('agrees on any short bytes', () => {
    for (let first = 0; first < 256; first++) {
      agree(Uint8Array.of(first))
      for (let second = 0; second < 256; second++) agree(Uint8Array.of(first, second))
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), agree), { numRuns: 5_000 })
  })

  it('agrees at the edges of integers, lengths and keys', () => {
    const edges = [
      '1b 001fffffffffffff',
      '1b 0020000000000000',
      '1b ffffffffffffffff',
      '3b 001ffffffffffffe',
      '3b 001fffffffffffff',
      '3b 0020000000000000',
      '3b ffffffffffffffff',
      '1b 00000001',
      '5a ffffffff',
      '9a ffffffff',
      'ba ffffffff',
      'a2 61 61 01 62 6161 02',
      'a2 61 c3 01 61 61 02',
      'a2 60 01 61 61 02',
      'a1 61 c3 01',
      'a2 62 c3bc 01 62 6262 02',
      'a2 62 6262 01 62 c3bc 02',
      'a1 65 efbbbf6161 01',
      `a2 78 18 ${'61'.repeat(24)} 01 77 ${'61'.repeat(23)} 02`,
      `a2 77 ${'61'.repeat(23)} 02 78 18 ${'61'.repeat(24)} 01`,
      `a2 78 81 ${'61'.repeat(129)} 02 78 81 ${'61'.repeat(128)}62 01`
    ]
    for (const edge of edges) agree(bytes(edge))
  })
})
