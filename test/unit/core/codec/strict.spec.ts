// Every way in which DAG-CBOR bytes can be lenient, refused one by one (R1).
import assert from 'node:assert/strict'
import { DEPTH_MAX } from '../../../../src/core/base/index.ts'
import {
  cidOf,
  decodeStrict,
  encode,
  RESERVED_KEYS,
  tagBytes,
  taggedBytes,
  taggedHash
} from '../../../../src/core/codec/index.ts'

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

function codeOf(input: Uint8Array): string {
  const result = decodeStrict(input)
  return result.ok ? 'accepted' : result.refusal.code
}

const LINK = `d82a 5825 00 01 71 12 20 ${'11'.repeat(32)}`

const REFUSED: readonly [string, string][] = [
  ['nothing at all', ''],
  ['keys out of order', 'a2 61 62 01 61 61 02'],
  ['a longer key before a shorter one', 'a2 62 6161 01 61 62 02'],
  ['a key twice', 'a2 61 61 01 61 61 01'],
  ['a key that is not text', 'a1 01 02'],
  ['undefined', 'f7'],
  ['undefined inside a list', '81 f7'],
  ['a half float', 'f9 3c00'],
  ['a single float', 'fa 3f800000'],
  ['a double that is whole', 'fb 3ff0000000000000'],
  ['a double that is not whole', 'fb 3ff8000000000000'],
  ['a double beyond 2^53', 'fb 4340000000000000'],
  ['minus zero', 'fb 8000000000000000'],
  ['a double NaN', 'fb 7ff8000000000000'],
  ['infinity', 'fb 7ff0000000000000'],
  ['a two-byte simple value', 'f8 14'],
  ['an unassigned simple value', 'e0'],
  ['a lone break', 'ff'],
  ['a list of indefinite length', '9f 01 ff'],
  ['a map of indefinite length', 'bf 61 61 01 ff'],
  ['text of indefinite length', '7f 61 61 ff'],
  ['bytes of indefinite length', '5f 41 61 ff'],
  ['a reserved length form', '1c'],
  ['5 in two bytes', '18 05'],
  ['255 in three bytes', '19 00ff'],
  ['65535 in five bytes', '1a 0000ffff'],
  ['2^32 - 1 in nine bytes', '1b 00000000ffffffff'],
  ['-5 in two bytes', '38 04'],
  ['a text length in two bytes', '78 01 61'],
  ['a list length in two bytes', '98 01 01'],
  ['trailing bytes', '01 01'],
  ['a list that ends early', '82 01'],
  ['text that ends early', '63 6161'],
  ['a length far beyond the input', '5b 001fffffffffffff 00'],
  ['a list of 2^53 items', '9b 001fffffffffffff 00'],
  ['UTF-8 cut in the middle', '61 c3'],
  ['UTF-8 of a surrogate', '63 eda080'],
  ['UTF-8 longer than needed', '62 c080'],
  ['text that begins with a byte order mark', '64 efbbbf61'],
  ['long text that begins with a byte order mark', `78 26 efbbbf ${'61'.repeat(35)}`],
  ['a tag other than 42', 'c1 01'],
  ['a bignum', 'c2 41 01'],
  ['tag 42 in three bytes', `d9002a ${LINK.slice(5)}`],
  ['a tag inside a tag', `d82a ${LINK}`],
  ['tag 42 around text', 'd82a 61 61'],
  ['tag 42 at the end', 'd82a'],
  ['a CID without the leading zero', `d82a 5824 01 71 12 20 ${'11'.repeat(32)}`],
  ['a CIDv0', `d82a 5823 00 12 20 ${'11'.repeat(32)}`],
  ['a CID of another hash', `d82a 5825 00 01 71 1b 20 ${'11'.repeat(32)}`],
  ['a CID of another codec', `d82a 5825 00 01 72 12 20 ${'11'.repeat(32)}`],
  ['a CID with a short digest', `d82a 5824 00 01 71 12 1f ${'11'.repeat(31)}`],
  ['a CID with a longer varint for the hash', `d82a 5826 00 01 71 9200 20 ${'11'.repeat(32)}`],
  ['a CID with a longer varint for the length', `d82a 5826 00 01 71 12 a000 ${'11'.repeat(32)}`],
  ['a CID with a longer varint for the codec', `d82a 5826 00 01 f100 12 20 ${'11'.repeat(32)}`],
  ['a CID with a longer varint for the version', `d82a 5826 00 8100 71 12 20 ${'11'.repeat(32)}`],
  ['a CID with bytes after it', `d82a 5826 00 01 71 12 20 ${'11'.repeat(33)}`],
  ['a map that poses as a CID', 'a2 61 2f 01 65 6279746573 01']
]

describe('core/codec/strict', () => {
  for (const [name, hex] of REFUSED) {
    it(`refuses ${name}`, () => assert.equal(codeOf(bytes(hex)), 'NOT_CANONICAL'))
  }

  for (const key of RESERVED_KEYS) {
    it(`refuses the key ${key}`, () =>
      assert.equal(codeOf(encode(new Map([[key, 1]]))), 'NOT_CANONICAL'))
  }

  it('accepts each kind of value in its one form', () => {
    const value = {
      a: null,
      b: [true, false],
      c: 2n ** 64n - 1n,
      d: -1,
      e: new Uint8Array([1]),
      f: 'zuerst 🐟',
      l: cidOf(new Uint8Array())
    }
    const decoded = decodeStrict(encode(value))
    assert.deepEqual(decoded, { ok: true, value })
  })

  it('counts lists and maps, empty or not, and nothing else, as depth', () => {
    const nested = (levels: number, inner: string): Uint8Array => bytes('81'.repeat(levels) + inner)
    assert.equal(codeOf(nested(DEPTH_MAX, '00')), 'accepted')
    assert.equal(codeOf(nested(DEPTH_MAX, LINK)), 'accepted')
    assert.equal(codeOf(nested(DEPTH_MAX - 1, '80')), 'accepted')
    assert.equal(codeOf(nested(DEPTH_MAX, '80')), 'TOO_DEEP')
    assert.equal(codeOf(nested(DEPTH_MAX, 'a0')), 'TOO_DEEP')
    assert.equal(codeOf(bytes(`${'8280'.repeat(20)}80`)), 'accepted')
  })

  it('refuses a megabyte of openings without recursion', () => {
    assert.equal(codeOf(new Uint8Array(1 << 20).fill(0x81)), 'TOO_DEEP')
    assert.equal(codeOf(bytes('d82a'.repeat(100_000))), 'NOT_CANONICAL')
  })

  it('does not quote the input in a refusal', () => {
    const result = decodeStrict(encode({ prototype: 'secret' }))
    assert.ok(!result.ok && !result.refusal.message.includes('prototype'))
  })

  it('separates hashes by their tag', () => {
    assert.notDeepEqual(taggedHash('a', 1), taggedHash('b', 1))
    assert.deepEqual(taggedBytes('a', 1), tagBytes('a', encode(1)))
    assert.equal(Buffer.from(taggedBytes('ab', 1)).toString('hex'), '61620001')
  })

  it('names a block by its known CID', () => {
    // `echo -n "{}" as DAG-CBOR` (a0): the CID that IPLD tools print for the empty map.
    assert.equal(
      cidOf(bytes('a0')).toString(),
      'bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua'
    )
  })
})
