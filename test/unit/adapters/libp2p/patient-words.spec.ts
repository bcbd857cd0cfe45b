// Goal: gossip's words that a message need not be forwarded leave together; whatever else is said is said at once, in order.
import assert from 'node:assert/strict'
import { RPC } from '@chainsafe/libp2p-gossipsub/message'
import type { Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import type { Uint8ArrayList } from 'uint8arraylist'
import { saysPatiently } from '../../../../src/adapters/libp2p/patient-words.ts'

const control = { ihave: [], iwant: [], graft: [], prune: [], idontwant: [] }
const dontWant = (first: number): Uint8ArrayList =>
  frame({ control: { ...control, idontwant: [{ messageIDs: [new Uint8Array(32).fill(first)] }] } })
const graft = frame({ control: { ...control, graft: [{ topicID: 'topic' }] } })
const message = frame({ messages: [{ topic: 'topic', data: new Uint8Array(20) }] })
const subscription = frame({ subscriptions: [{ subscribe: true, topic: 'topic' }] })

describe('adapters/libp2p/patient-words', () => {
  it('sends several such words as one piece, a moment later', async () => {
    const { stream, sent, next } = told()
    stream.send(dontWant(1))
    stream.send(dontWant(2))
    assert.deepEqual(sent, [])
    await next
    assert.deepEqual(sent, [[...bytes(dontWant(1)), ...bytes(dontWant(2))]])
  })

  it('sends them before the next thing that is said', () => {
    for (const said of [graft, message, subscription]) {
      const { stream, sent } = told()
      stream.send(dontWant(1))
      stream.send(said)
      assert.deepEqual(sent, [bytes(dontWant(1)), bytes(said)])
    }
  })

  it('sends them at once when many have gathered', () => {
    const { stream, sent } = told()
    for (let count = 0; count < 200; count++) stream.send(dontWant(count))
    assert.ok(sent.length > 0 && sent.length < 5)
  })

  it('lets nothing wait where nobody waits for it, nor on other streams', () => {
    const many = told({ mayWait: false })
    many.stream.send(dontWant(1))
    assert.equal(many.sent.length, 1)
    const other = told({ protocol: '/can-swarm/direct/1' })
    other.stream.send(dontWant(1))
    assert.equal(other.sent.length, 1)
  })

  it('says nothing on a stream that has ended', async () => {
    const { stream, sent, end } = told()
    stream.send(dontWant(1))
    end()
    stream.send(message)
    assert.deepEqual(sent, [bytes(message)])
  })
})

/** A stream as libp2p opens it, and what really leaves. */
function told({ protocol = '/meshsub/1.2.0', mayWait = true } = {}): {
  readonly stream: Stream
  readonly sent: number[][]
  readonly next: Promise<void>
  readonly end: () => void
} {
  const sent: number[][] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const plain = Object.assign(new EventTarget(), {
    protocol,
    writeStatus: 'writable',
    send: (data: Uint8Array | Uint8ArrayList) => {
      sent.push(bytes(data))
      resolve()
      return true
    }
  })
  const stream = saysPatiently(plain as unknown as Stream, () => mayWait)
  const end = (): void => {
    plain.writeStatus = 'closed'
    plain.dispatchEvent(new Event('close'))
  }
  return { stream, sent, next: promise, end }
}

/** As gossipsub writes it. */
function frame(rpc: Parameters<typeof RPC.encode>[0]): Uint8ArrayList {
  return encode.single(RPC.encode({ subscriptions: [], messages: [], ...rpc }))
}

function bytes(data: Uint8Array | Uint8ArrayList): number[] {
  return [...data.subarray()]
}
