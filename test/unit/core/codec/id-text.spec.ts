// Goal: ids are turned into digests and back as the library does it, and nothing else is taken for one. Method: the library beside it.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  CID,
  cidOf,
  digestOfId,
  idFromDigest,
  isEnvelopeId
} from '../../../../src/core/codec/index.ts'

describe('core/codec/id-text', () => {
  it('agrees with the library on every id', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        const cid = cidOf(bytes)
        assert.equal(idFromDigest(cid.multihash.digest), cid.toString())
        assert.deepEqual(digestOfId(cid.toString()), cid.multihash.digest)
      })
    )
  })

  it('takes only text that the library writes', () => {
    const id = cidOf(new Uint8Array(1)).toString()
    fc.assert(
      fc.property(
        fc.nat({ max: id.length - 1 }),
        fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567ABZ189= '),
        (at, character) => {
          const text = id.slice(0, at) + character + id.slice(at + 1)
          const digest = digestOfId(text)
          if (digest !== null) assert.equal(CID.parse(text).toString(), idFromDigest(digest))
          if (digest !== null) assert.equal(idFromDigest(digest), text)
        }
      )
    )
    const others = ['', 'b', id.slice(0, -1), `${id}a`, id.toUpperCase(), `z${id.slice(1)}`]
    for (const text of [...others, cidOf(new Uint8Array(1), 0x55).toString()]) {
      assert.equal(digestOfId(text), null, text)
      assert.equal(isEnvelopeId(text), false, text)
    }
    assert.equal(isEnvelopeId(id), true)
  })
})
