import assert from 'node:assert/strict'
import fc from 'fast-check'
import { nodeSha256, useNodeSha256 } from '../../../../src/adapters/sha256/index.ts'
import { cidOf, hash, idOf, referenceSha256, useSha256 } from '../../../../src/core/codec/index.ts'

describe('SHA-256 by the platform', () => {
  afterEach(() => useSha256(referenceSha256))

  it('gives what the reference gives, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        assert.deepEqual(nodeSha256(bytes), referenceSha256(bytes))
      })
    )
  })

  it('gives what the reference gives around the ends of blocks, and for a view', () => {
    for (let length = 0; length <= 260; length += 1) {
      const bytes = Uint8Array.from({ length: length + 7 }, (_, at) => at * 31).subarray(7)
      assert.deepEqual(nodeSha256(bytes), referenceSha256(bytes))
    }
  })

  it('is what the core hashes by once it is put to use', () => {
    const bytes = new TextEncoder().encode('one')
    const before = { hash: hash(bytes), id: cidOf(bytes).toString() }
    useNodeSha256()
    assert.deepEqual({ hash: hash(bytes), id: idOf(bytes) }, before)
    let calls = 0
    useSha256(given => {
      calls += 1
      return nodeSha256(given)
    })
    hash(bytes)
    assert.ok(calls > 0)
  })

  it('is not replaced by a function that fails a published example', () => {
    assert.throws(() => useSha256(() => new Uint8Array(32)), /published hashes/)
    assert.throws(
      () => useSha256(bytes => Buffer.from(referenceSha256(bytes))),
      /plain array of bytes/
    )
    assert.deepEqual(hash(new Uint8Array(0)), referenceSha256(new Uint8Array(0)))
  })
})
