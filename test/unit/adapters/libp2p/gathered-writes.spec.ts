// Goal: small frames of one turn travel as one write; nothing is lost, held back or let through a full connection by it.
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MessageStream, Stream, StreamMuxer } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { gatheringMuxer } from '../../../../src/adapters/libp2p/gathered-writes.ts'
import { GATHERED_BYTES_MAX, WINDOW_UPDATE_BYTES } from '../../../../src/adapters/libp2p/limits.ts'

describe('adapters/libp2p/gathered-writes', () => {
  it('writes the frames of one turn as one piece, in order', async () => {
    const pair = connectedPair()
    const stream = await pair.client.createStream()
    await nextTurn()
    const writes = pair.writes.length
    const heard = text(pair.inbound, 6)
    for (const word of ['ab', 'cd', 'ef']) stream.send(new TextEncoder().encode(word))
    assert.equal(pair.writes.length, writes, 'nothing is written within the turn')
    await nextTurn()
    assert.equal(pair.writes.length, writes + 1)
    assert.equal(await heard, 'abcdef')
  })

  it('writes at once when much has gathered', async () => {
    const pair = connectedPair()
    const stream = await pair.client.createStream()
    await nextTurn()
    const writes = pair.writes.length
    stream.send(new Uint8Array(GATHERED_BYTES_MAX))
    assert.equal(pair.writes.length, writes + 1)
  })

  it('tells the streams that the connection is full, until it has drained', async () => {
    const pair = connectedPair()
    const stream = await pair.client.createStream()
    await nextTurn()
    pair.setFull(true)
    stream.send(new Uint8Array(GATHERED_BYTES_MAX))
    assert.equal(stream.send(new Uint8Array(1)), false)
    pair.setFull(false)
    pair.outbound.dispatchEvent(new Event('drain'))
    await nextTurn()
    assert.equal(stream.send(new Uint8Array(1)), true)
  })

  it('says nothing of small messages that were read, and enough of many', async () => {
    const pair = connectedPair()
    const opened = firstStream(pair.inbound)
    const stream = await pair.client.createStream()
    stream.send(new Uint8Array(1))
    const sender = await opened
    const total = 1024 * 1024
    let read = 0
    const all = Promise.withResolvers<void>()
    stream.addEventListener('message', ({ data }) => {
      read += data.byteLength
      if (read === total) all.resolve()
    })
    await nextTurn()
    const writes = pair.writes.length
    for (; read < 5000; await nextTurn()) sender.send(new Uint8Array(100))
    assert.equal(pair.writes.length, writes)
    for (let left = total - read; left > 0; left -= 4096) {
      sender.send(new Uint8Array(Math.min(left, 4096)))
      if (sender.writableNeedsDrain) await sender.onDrain()
    }
    await all.promise
    const frames = pair.writes.length - writes
    assert.ok(frames > 0 && frames <= total / WINDOW_UPDATE_BYTES, `${frames} writes`)
  })

  it('says farewell before the connection is closed', async () => {
    const pair = connectedPair()
    await pair.client.createStream()
    await nextTurn()
    const writes = pair.writes.length
    await pair.client.close()
    assert.ok(pair.writes.length > writes)
  })
})

type Pair = {
  readonly client: StreamMuxer
  readonly outbound: MessageStream
  readonly inbound: StreamMuxer
  /** Lengths of what went to the connection. */
  readonly writes: readonly number[]
  readonly setFull: (isFull: boolean) => void
}

function connectedPair(): Pair {
  const [outbound, other] = multiaddrConnectionPair()
  const writes: number[] = []
  let isFull = false
  const send = outbound.send.bind(outbound)
  outbound.send = data => {
    writes.push(data.byteLength)
    return send(data) && !isFull
  }
  const options = { enableKeepAlive: false }
  const client = gatheringMuxer(yamux(options))(undefined).createStreamMuxer(outbound)
  const inbound = yamux(options)().createStreamMuxer(other)
  const setFull = (full: boolean) => {
    isFull = full
  }
  return { client, outbound, inbound, writes, setFull }
}

function text(muxer: StreamMuxer, length: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = ''
  muxer.addEventListener('stream', ({ detail: stream }) =>
    stream.addEventListener('message', event => {
      heard += new TextDecoder().decode(event.data.subarray())
      if (heard.length >= length) resolve(heard)
    })
  )
  return promise
}

function firstStream(muxer: StreamMuxer): Promise<Stream> {
  return new Promise(resolve =>
    muxer.addEventListener('stream', ({ detail }) => resolve(detail), { once: true })
  )
}
