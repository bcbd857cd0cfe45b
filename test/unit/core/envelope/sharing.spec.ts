/**
 * Goal: an envelope in little memory. Method: byte fields share the envelope's own buffer; links and names of two values are one object; a
 * buffer of the caller's is not held.
 */
import { strict as assert } from 'node:assert'
import {
  CID,
  cidOf,
  decodeStrict,
  encode,
  hash,
  sharedLink
} from '../../../../src/core/codec/index.ts'

describe('core/envelope/sharing', () => {
  const name = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
  const make = (views: boolean): { bytes: Uint8Array; value: Record<string, unknown> } => {
    const bytes = encode({
      name,
      link: cidOf(Uint8Array.of(1)),
      digest: new Uint8Array(32).fill(7),
      list: [new Uint8Array(64)]
    })
    const decoded = decodeStrict(bytes, views)
    assert(decoded.ok)
    return { bytes, value: decoded.value as Record<string, unknown> }
  }

  it('has byte fields lie in the bytes that they came from, and links be one', () => {
    const [first, second] = [make(true), make(true)]
    assert.equal((first.value['digest'] as Uint8Array).buffer, first.bytes.buffer)
    assert.equal((first.value['list'] as Uint8Array[])[0]?.buffer, first.bytes.buffer)
    assert.equal(first.value['link'], second.value['link'])
    assert.equal(sharedLink(hash(Uint8Array.of(1))), first.value['link'])
    assert.equal(sharedLink(hash(Uint8Array.of(1))).toString(), cidOf(Uint8Array.of(1)).toString())
  })

  it('copies byte fields unless it is told that it need not', () => {
    const { bytes, value } = make(false)
    assert.notEqual((value['digest'] as Uint8Array).buffer, bytes.buffer)
    assert.deepEqual(encode(value), bytes)
  })

  it('keeps each link apart from all others, however many there are', () => {
    const made = Array.from({ length: 20_000 }, (_, index) => hash(encode(index)))
    for (let round = 0; round < 2; round++)
      for (const digest of made) assert.deepEqual(sharedLink(digest).multihash.digest, digest)
    const link = sharedLink(made[0] as Uint8Array)
    assert.equal(CID.parse(link.toString()).equals(link), true)
  })
})
