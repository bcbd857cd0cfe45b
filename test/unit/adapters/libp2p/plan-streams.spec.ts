// Streams of plan sync that a peer opens one after the other. Method: streams of this test's own, since a real peer is slower than what is asked.
import assert from 'node:assert/strict'
import type { Connection, Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { nodeSigner } from '../../../../src/adapters/ed25519/index.ts'
import type { Host } from '../../../../src/adapters/libp2p/host.ts'
import { peerIdOf } from '../../../../src/adapters/libp2p/peer-did.ts'
import { HostPlanStreams } from '../../../../src/adapters/libp2p/plan-streams.ts'
import { silent, until } from '../../../support/virtual-world.ts'

class FakeStream extends EventTarget {
  status = 'open'
  readStatus = 'readable'
  writeStatus = 'writable'
  maxReadBufferLength = 0
  answers = 0
  readonly #unread: Uint8Array[] = []

  bring(frame: Uint8Array): void {
    this.#unread.push(encode.single(frame).subarray())
    this.#deliver()
  }

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
    this.#deliver()
  }

  /** Frames that wait on the side of the peer. */
  get unread(): number {
    return this.#unread.length
  }

  send(): void {
    this.answers++
  }

  abort(): void {
    this.status = 'aborted'
    this.writeStatus = 'closed'
    this.dispatchEvent(new Event('close'))
  }

  async close(): Promise<void> {
    this.status = 'closed'
  }

  #deliver(): void {
    while (this.readStatus === 'readable' && this.#unread.length > 0)
      this.dispatchEvent(Object.assign(new Event('message'), { data: this.#unread.shift() }))
  }
}

describe('adapters/libp2p/plan-streams', () => {
  const { did } = nodeSigner(new Uint8Array(32).fill(9))
  let open: (stream: FakeStream) => void

  async function streamsOf({
    dialled = new FakeStream(),
    signal = new AbortController().signal
  } = {}): Promise<HostPlanStreams> {
    const host = {
      dialProtocol: async () => dialled,
      handle: async (_: string, handler: (s: Stream, c: Connection) => Promise<void>) => {
        const connection = { remotePeer: peerIdOf(did) } as unknown as Connection
        open = stream => void handler(stream as unknown as Stream, connection)
      }
    } as unknown as Host
    const streams = new HostPlanStreams({ host, protocol: '/plan', logger: silent })
    await streams.register()
    streams.start(signal)
    return streams
  }

  it('handles one frame of a peer at a time, whatever streams it opens', async () => {
    const streams = await streamsOf()
    const handled: number[] = []
    const running: (() => void)[] = []
    streams.onFrame((_, frame) => {
      handled.push(frame[0] ?? -1)
      return new Promise(resolve => running.push(resolve))
    })
    const all = Array.from({ length: 20 }, () => new FakeStream())
    for (const [i, stream] of all.entries()) {
      open(stream)
      stream.bring(Uint8Array.of(i))
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.deepEqual(handled, [0])
    assert.deepEqual(all.map(({ status }) => status).slice(0, -1), Array(19).fill('aborted'))
    running.shift()?.()
    // The latest stream is the one that is read then.
    await until(() => handled.length === 2)
    assert.deepEqual(handled, [0, 19])
    running.shift()?.()
    await until(() => all.at(-1)?.answers === 1)
  })

  it('leaves what a peer sends with the peer while its frame is handled', async () => {
    const streams = await streamsOf()
    const running: (() => void)[] = []
    streams.onFrame(() => new Promise(resolve => running.push(resolve)))
    const stream = new FakeStream()
    open(stream)
    for (let i = 0; i < 50; i++) stream.bring(Uint8Array.of(i))
    for (let handled = 1; handled <= 3; handled++) {
      await until(() => running.length === 1)
      assert.ok(stream.unread >= 49 - handled, `${stream.unread} of 50 wait there`)
      running.shift()?.()
    }
  })

  it('reads a new stream of a peer whose last one has ended', async () => {
    const streams = await streamsOf()
    const handled: number[] = []
    streams.onFrame(async (_, frame) => void handled.push(frame[0] ?? -1))
    for (const i of [1, 2]) {
      const stream = new FakeStream()
      open(stream)
      stream.bring(Uint8Array.of(i))
      await until(() => stream.answers === 1)
      stream.abort()
    }
    assert.deepEqual(handled, [1, 2])
    streams.ban(did)
    const late = new FakeStream()
    open(late)
    assert.equal(late.status, 'aborted')
  })
  it('leaves nothing of a frame that could not be sent, which would end the process later', async () => {
    const end = new AbortController()
    const dialled = new FakeStream()
    dialled.send = () => {
      throw new TypeError('the stream is closed')
    }
    const streams = await streamsOf({ dialled, signal: end.signal })
    await assert.rejects(streams.send(did, Uint8Array.of(1)), { code: 'PEER_UNREACHABLE' })
    const unhandled: unknown[] = []
    const listeners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', reason => unhandled.push(reason))
    end.abort()
    await new Promise(resolve => setImmediate(resolve))
    process.removeAllListeners('unhandledRejection')
    for (const listener of listeners) process.on('unhandledRejection', listener)
    assert.deepEqual(unhandled, [])
  })
})
