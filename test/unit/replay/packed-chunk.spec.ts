// Goal: a chunk comes out of its packing as it went in, and no item holds the bytes of another. Method: every kind of thing, in an odd order.
import { strict as assert } from 'node:assert'
import type { CheckedChunk } from '../../../src/replay/check-chunk.ts'
import { flawed } from '../../../src/replay/flaw.ts'
import { packChunk, unpackChunk } from '../../../src/replay/packed-chunk.ts'

const envelope = (bytes: Uint8Array, atMs: number): CheckedChunk['taken'][number] => ({
  type: 'item',
  item: { type: 'envelope', bytes, atMs },
  id: `envelope ${atMs}`
})
const entry = (data: Uint8Array, index: number): CheckedChunk['taken'][number] => ({
  type: 'item',
  item: { type: 'entry', entry: { term: 3, index, data } },
  id: data.length === 0 ? null : `entry ${index}`
})
const chunk: CheckedChunk = {
  taken: [
    { type: 'part', part: 2 },
    envelope(Uint8Array.of(1, 2, 3), 1_700_000_000_000),
    entry(new Uint8Array(), 7),
    {
      type: 'refers',
      body: { type: 'entry', term: 1, index: 8, stamp: 9, cid: 'cid', bytes: null }
    },
    entry(Uint8Array.of(4, 5), 2 ** 53 - 1),
    { type: 'end', complete: true }
  ],
  first: { seq: 5, prev: 'ab' },
  lastHash: 'cd',
  lastSigned: null,
  policies: 4,
  flaw: flawed('RECORD_LINE', 'wrong').flaw
}

describe('replay: packed chunks', () => {
  it('come out as they went in, through a copy between threads', () => {
    const packed = packChunk(chunk)
    const buffers = [packed.numbers.buffer, packed.bytes.buffer] as ArrayBuffer[]
    assert.deepEqual(unpackChunk(structuredClone(packed, { transfer: buffers })), chunk)
    const empty: CheckedChunk = { ...chunk, taken: [], flaw: null }
    assert.deepEqual(unpackChunk(packChunk(empty)), empty)
  })

  it('give each item bytes of its own', () => {
    const items = unpackChunk(packChunk(chunk)).taken.flatMap(one =>
      one.type === 'item' ? one.item : []
    )
    for (const item of items) {
      const bytes = item.type === 'envelope' ? item.bytes : item.entry.data
      assert.equal(bytes.buffer.byteLength, bytes.length)
    }
    assert.equal(items.length, 3)
  })
})
