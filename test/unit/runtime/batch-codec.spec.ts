// Goal: messages to one peer are few on the wire and the same at its end, whatever they are and whatever is wrong with one. Method: laws over arbitrary lists.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MESSAGE_BYTES_MAX } from '../../../src/core/base/index.ts'
import { encode } from '../../../src/core/codec/index.ts'
import type { PeerMessage } from '../../../src/core/swarm/index.ts'
import {
  BATCH_BYTES_MAX,
  BATCH_ITEMS_MAX,
  encodeMessage,
  packMessages,
  unpackMessages
} from '../../../src/runtime/index.ts'

const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record(
    { type: fc.constant('available' as const), thread: fc.string(), epoch: fc.nat() },
    { noNullPrototype: true }
  ),
  fc
    .nat(40_000)
    .map(size => ({ type: 'envelopes' as const, items: [new Uint8Array(size), new Uint8Array(9)] }))
)

function received(packed: readonly Uint8Array[]): PeerMessage[] {
  return packed.flatMap(unpackMessages).map(result => {
    assert(result.ok, 'what was sent is taken')
    return result.value.message
  })
}

describe('runtime/batch-codec', () => {
  it('gives back what was packed, in order', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), messages => {
        const { packed, dropped } = packMessages(messages)
        assert.deepEqual(received(packed), messages)
        assert.deepEqual(dropped, [])
        assert(packed.every(bytes => bytes.length <= MESSAGE_BYTES_MAX))
      }),
      { numRuns: 100 }
    )
  })

  it('makes one message of the heartbeats of a thousand groups, and is a plain message when there is one', () => {
    const heartbeats = Array.from({ length: 1000 }, (_, group): PeerMessage => {
      const message = { type: 'heartbeat', from: 'a', to: 'b', term: 1, commit: 0 } as never
      return { type: 'raft', group: `g${group}`, message }
    })
    assert.equal(packMessages(heartbeats).packed.length, 1)
    const one = heartbeats.slice(0, 1)
    assert.deepEqual(packMessages(one).packed, encodeMessage(one[0] as PeerMessage))
    assert.deepEqual(packMessages([]).packed, [])
  })

  it('closes a batch at its bounds of items and bytes', () => {
    const small: PeerMessage = { type: 'available', thread: 't', epoch: 0 }
    assert.equal(packMessages(Array(2 * BATCH_ITEMS_MAX + 1).fill(small)).packed.length, 3)
    const large: PeerMessage = { type: 'envelopes', items: [new Uint8Array(60_000)] }
    const { packed } = packMessages(Array(20).fill(large))
    assert.equal(packed.length, 5)
    assert(packed.every(bytes => bytes.length <= BATCH_BYTES_MAX + 1024))
  })

  it('names what is too long for any message, and sends the rest', () => {
    const small: PeerMessage = { type: 'available', thread: 't', epoch: 0 }
    const { packed, dropped } = packMessages([
      small,
      { type: 'hello', threads: ['t'.repeat(2_000_000)] },
      small
    ])
    assert.deepEqual(dropped, ['hello'])
    assert.deepEqual(received(packed), [small, small])
  })

  it('takes the good messages of a batch beside bad ones, and no batch inside a batch', () => {
    const good = encodeMessage({ type: 'available', thread: 't', epoch: 0 })[0] as Uint8Array
    const inner = encode({ type: 'batch', items: [good, good] })
    const results = unpackMessages(
      encode({ type: 'batch', items: [good, Uint8Array.of(1, 2), inner, good] })
    )
    assert.deepEqual(
      results.map(result => result.ok),
      [true, false, false, true]
    )
  })

  it('refuses batches of another form, of too many items and of too many bytes', () => {
    const good = encodeMessage({ type: 'available', thread: 't', epoch: 0 })[0] as Uint8Array
    const bad = [
      { type: 'batch', items: [good] },
      { type: 'batch', items: Array(BATCH_ITEMS_MAX + 1).fill(good) },
      { type: 'batch', items: 'x' },
      { type: 'batch', items: [good, good], more: 1 }
    ]
    for (const value of bad) {
      const results = unpackMessages(encode(value))
      assert.deepEqual(
        results.map(result => result.ok),
        [false]
      )
    }
    assert.deepEqual(
      unpackMessages(new Uint8Array(MESSAGE_BYTES_MAX + 1)).map(
        result => !result.ok && result.refusal.code
      ),
      ['MESSAGE_TOO_LARGE']
    )
  })
})
