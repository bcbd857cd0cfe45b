// One rule for keys and signatures (R3): the reference and the fast verifier give the stated answer on the vectors of others
// and on signatures made to fall between rules.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Point } from '@noble/ed25519'
import { nodeSigner, nodeVerifier } from '../../src/adapters/ed25519/index.ts'
import {
  admitKey,
  admitR,
  formatDid,
  isReducedEncoding,
  isSmallOrderEncoding,
  SMALL_ORDER_ENCODINGS,
  verifyReference
} from '../../src/core/identity/index.ts'
import { bytesOf, forge, ORDER, scalarOf, TORSION } from '../support/ed25519-arithmetic.ts'

type Rfc = { name: string; seed: string; publicKey: string; message: string; signature: string }
type Speccheck = {
  index: number
  description: string
  accepted: boolean
  message: string
  pub_key: string
  signature: string
}

const load = <T>(name: string): T[] =>
  JSON.parse(readFileSync(new URL(`ed25519/${name}.json`, import.meta.url), 'utf8')).vectors
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const fast = nodeVerifier()

/** The common answer of both verifiers. */
function verdict(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const did = formatDid(key)
  const reference = verifyReference(did, message, signature)
  assert.equal(fast(did, message, signature), reference, 'the verifiers differ')
  return reference
}

describe('vectors: ed25519', () => {
  for (const vector of load<Rfc>('rfc8032')) {
    it(`signs and accepts RFC 8032 ${vector.name}`, () => {
      const signer = nodeSigner(hex(vector.seed))
      assert.equal(signer.did, formatDid(hex(vector.publicKey)))
      assert.deepEqual(signer.sign(hex(vector.message)), hex(vector.signature))
      assert.equal(verdict(hex(vector.publicKey), hex(vector.message), hex(vector.signature)), true)
    })
  }

  const cases = load<Speccheck>('speccheck')
  it('has all twelve cases of speccheck', () => assert.equal(cases.length, 12))
  for (const vector of cases) {
    it(`${vector.accepted ? 'accepts' : 'refuses'} speccheck ${vector.index}: ${vector.description}`, () => {
      assert.equal(
        verdict(hex(vector.pub_key), hex(vector.message), hex(vector.signature)),
        vector.accepted
      )
    })
  }
})

describe('vectors: ed25519 between rules', () => {
  const a = 123_456_789n
  const r = 987_654_321n
  const publicKey = Point.BASE.multiply(a).toBytes()
  const message = hex('6d657373616765')
  const encodedR = Point.BASE.multiply(r).toBytes()
  const honest = forge({ a, r, encodedR, key: publicKey, message })

  it('accepts a signature made by hand, so that the refusals below mean something', () => {
    assert.equal(verdict(publicKey, message, honest), true)
  })

  it('refuses S + L', () => {
    const s = scalarOf(honest.subarray(32)) + ORDER
    assert.equal(
      verdict(publicKey, message, Uint8Array.from([...honest.subarray(0, 32), ...bytesOf(s)])),
      false
    )
  })

  it('refuses an R with a component of small order, which holds with the cofactor', () => {
    for (let i = 1n; i < 8n; i++) {
      const mixed = Point.BASE.multiply(r).add(TORSION.multiply(i)).toBytes()
      assert.equal(
        verdict(publicKey, message, forge({ a, r, encodedR: mixed, key: publicKey, message })),
        false
      )
    }
  })

  it('refuses the identity as R in each encoding, though the equation holds', () => {
    const encodings = SMALL_ORDER_ENCODINGS.filter(text => /^(?:01|ee)/u.test(text))
    assert.equal(encodings.length, 4)
    for (const text of encodings) {
      assert.equal(
        verdict(
          publicKey,
          message,
          forge({ a, r: 0n, encodedR: hex(text), key: publicKey, message })
        ),
        false
      )
    }
  })

  it('refuses a key with a component of small order', () => {
    for (let i = 1n; i < 8n; i++) {
      const key = Point.BASE.multiply(a).add(TORSION.multiply(i)).toBytes()
      assert.equal(admitKey(key), false)
      // Messages for which the small parts cancel hold for a cofactorless verifier that does not examine keys.
      for (let n = 0; n < 16; n++) {
        const text = Uint8Array.of(n)
        assert.equal(verdict(key, text, forge({ a, r, encodedR, key, message: text })), false)
      }
    }
  })

  it('refuses every encoding of a small-order point as key and as R', () => {
    for (const text of SMALL_ORDER_ENCODINGS) {
      assert.equal(admitKey(hex(text)), false)
      assert.equal(verdict(hex(text), message, honest), false)
      assert.equal(
        verdict(publicKey, message, Uint8Array.from([...hex(text), ...honest.subarray(32)])),
        false
      )
    }
  })

  it('lists exactly the encodings of the eight small-order points', () => {
    const canonical = new Set(
      [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].map(i =>
        (i === 0n ? Point.ZERO : TORSION.multiply(i)).toHex()
      )
    )
    const listed = SMALL_ORDER_ENCODINGS.filter(text => canonical.has(text))
    assert.equal(canonical.size, 8)
    assert.equal(listed.length, 8)
    const others = SMALL_ORDER_ENCODINGS.filter(text => !canonical.has(text))
    for (const text of others) {
      assert.ok(canonical.has(Point.fromHex(text, true).toHex()), text)
      assert.throws(() => Point.fromHex(text, false))
      assert.ok(isSmallOrderEncoding(hex(text)))
    }
    // y + p fits into 255 bits for y below 19 only; with the two signs of x = 0 that leaves these six.
    const all = new Set<string>()
    for (let low = 0; low < 256; low++) {
      for (const top of ['7f', 'ff', '00', '80']) {
        const filler = top === '7f' || top === 'ff' ? 'ff' : '00'
        const text = low.toString(16).padStart(2, '0') + filler.repeat(30) + top
        const point = decodeLoosely(text)
        if (point !== null && canonical.has(point) && !canonical.has(text)) all.add(text)
      }
    }
    assert.deepEqual([...all].sort(), [...others].sort())
  })

  it('knows reduced encodings from others at the prime', () => {
    const reduced = (low: string, top: string): boolean =>
      isReducedEncoding(hex(`${low}${'ff'.repeat(30)}${top}`))
    assert.equal(reduced('ec', '7f'), true)
    assert.equal(reduced('ec', 'ff'), true)
    assert.equal(reduced('ed', '7f'), false)
    assert.equal(reduced('ed', 'ff'), false)
    assert.equal(reduced('ff', '7e'), true)
    assert.equal(isReducedEncoding(hex(`ff00${'ff'.repeat(29)}7f`)), true)
  })

  it('refuses R by itself, whatever the library below would say', () => {
    const s = honest.subarray(32)
    assert.equal(admitR(honest), true)
    for (const text of SMALL_ORDER_ENCODINGS) {
      assert.equal(admitR(Uint8Array.from([...hex(text), ...s])), false, text)
    }
    for (const low of ['ef', 'f5', 'ff']) {
      const r = hex(`${low}${'ff'.repeat(30)}7f`)
      assert.equal(admitR(Uint8Array.from([...r, ...s])), false, low)
    }
  })

  it('never throws, whatever the lengths and texts', () => {
    for (const verify of [verifyReference, fast]) {
      assert.equal(verify('did:key:zzz', message, honest), false)
      assert.equal(verify('', message, honest), false)
      assert.equal(verify(formatDid(publicKey), message, honest.subarray(1)), false)
      assert.equal(verify(formatDid(publicKey), message, new Uint8Array(65)), false)
      assert.equal(verify(formatDid(publicKey), message, new Uint8Array(64).fill(0xff)), false)
    }
  })
})

function decodeLoosely(text: string): string | null {
  try {
    return Point.fromHex(text, true).toHex()
  } catch {
    return null
  }
}
