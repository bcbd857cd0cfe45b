// Goal: a sender is told of all that was read, in few frames, and other frames pass as they are.
import assert from 'node:assert/strict'
import { Uint8ArrayList } from 'uint8arraylist'
import { WINDOW_UPDATE_BYTES, WINDOW_UPDATES_MAX } from '../../../../src/adapters/libp2p/limits.ts'
import { WindowUpdates } from '../../../../src/adapters/libp2p/window-updates.ts'

const RESET = 8
const FIN = 4

describe('adapters/libp2p/window-updates', () => {
  it('adds up what was read of a stream until it is worth a frame', () => {
    const updates = new WindowUpdates()
    assert.equal(updates.take(frame({ stream: 3, bytes: 1000 })), null)
    assert.equal(updates.take(frame({ stream: 5, bytes: 1000 })), null)
    const told = updates.take(frame({ stream: 3, bytes: WINDOW_UPDATE_BYTES - 1000 }))
    assert.deepEqual(told, frame({ stream: 3, bytes: WINDOW_UPDATE_BYTES }))
    assert.equal(updates.take(frame({ stream: 3, bytes: 1000 })), null, 'and begins anew')
  })

  it('passes data, pings and flags on', () => {
    const updates = new WindowUpdates()
    const passed = [
      frame({ type: 0, stream: 3, bytes: 0 }),
      frame({ type: 2, stream: 0, bytes: 7 }),
      frame({ flags: FIN, stream: 3, bytes: 0 }),
      new Uint8Array(64),
      new Uint8ArrayList(frame({ type: 0, stream: 3, bytes: 1 }), new Uint8Array(1))
    ]
    for (const one of passed) assert.equal(updates.take(one), one)
  })

  it('forgets a stream that is reset', () => {
    const updates = new WindowUpdates()
    const half = WINDOW_UPDATE_BYTES / 2
    assert.equal(updates.take(frame({ stream: 3, bytes: half })), null)
    updates.take(frame({ flags: RESET, stream: 3, bytes: 0 }))
    assert.equal(updates.take(frame({ stream: 3, bytes: half })), null)
  })

  it('holds few streams: the one that has waited longest makes way', () => {
    const updates = new WindowUpdates()
    for (let stream = 1; stream <= WINDOW_UPDATES_MAX; stream += 1)
      assert.equal(updates.take(frame({ stream, bytes: stream })), null)
    assert.deepEqual(
      updates.take(frame({ stream: 1000, bytes: 1 })),
      frame({ stream: 1, bytes: 1 })
    )
  })
})

function frame(of: {
  readonly type?: number
  readonly flags?: number
  readonly stream: number
  readonly bytes: number
}): Uint8Array {
  const bytes = new Uint8Array(12)
  const header = new DataView(bytes.buffer)
  header.setUint8(1, of.type ?? 1)
  header.setUint16(2, of.flags ?? 0)
  header.setUint32(4, of.stream)
  header.setUint32(8, of.bytes)
  return bytes
}
