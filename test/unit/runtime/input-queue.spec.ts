// Goal: the queue is bounded in bytes as in number, for each peer too, and groups do not wait for gossip. Method: messages of a MiB, floods.
import assert from 'node:assert/strict'
import {
  InputQueue,
  PEER_BYTES_QUEUED_MAX,
  PEER_MESSAGES_QUEUED_MAX,
  QUEUED_BYTES_MAX,
  type QueuedInput
} from '../../../src/runtime/input-queue.ts'

const MEBIBYTE = 1024 * 1024
const ENVELOPE = { kind: 'envelope', admitted: {} as never, local: false } as const

function hello(from: string): QueuedInput {
  return { kind: 'message', from, message: { type: 'hello', threads: [] } }
}

function heartbeat(from: string): QueuedInput {
  const message = { type: 'heartbeat', from, to: 'b', term: 1, commit: 0 } as const
  return { kind: 'message', from, message: { type: 'raft', group: 'g', message } as never }
}

describe('runtime/input-queue', () => {
  it('takes no more bytes than its limit, whatever the number of messages, and has room again when some are taken', () => {
    const queue = new InputQueue()
    const fitting = QUEUED_BYTES_MAX / MEBIBYTE
    const from = (count: number): QueuedInput => hello(`peer-${count % 8}`)
    for (let count = 0; count < fitting; count++) assert.ok(queue.offer(from(count), MEBIBYTE))
    assert.ok(!queue.offer(from(8), 1))
    assert.ok(queue.offer({ kind: 'tick' }), 'own inputs have no bytes')
    assert.equal(queue.take(3).length, 3)
    assert.ok(queue.offer(from(0), 2 * MEBIBYTE))
    assert.ok(!queue.offer(from(1), 1))
  })

  it('leaves room for the others, however much one peer sends', () => {
    const queue = new InputQueue()
    for (let count = 0; count < PEER_MESSAGES_QUEUED_MAX; count++)
      assert.ok(queue.offer(hello('a')))
    assert.ok(!queue.offer(hello('a')))
    assert.ok(queue.offer(hello('b')))
    queue.take(1)
    assert.ok(queue.offer(hello('a')))

    const bytes = new InputQueue()
    for (let sent = 0; sent < PEER_BYTES_QUEUED_MAX; sent += MEBIBYTE)
      assert.ok(bytes.offer(hello('a'), MEBIBYTE))
    assert.ok(!bytes.offer(hello('a'), 1))
    assert.ok(bytes.offer(hello('b'), 1))
  })

  it('takes what groups wait for before what gossip brings, and something of both each time', () => {
    const queue = new InputQueue()
    for (let count = 0; count < 100; count++) queue.offer(ENVELOPE)
    for (let count = 0; count < 100; count++) queue.offer(heartbeat(`peer-${count}`))
    const kinds = queue.take(40).map(input => input.kind)
    assert.deepEqual(kinds, [...Array(30).fill('message'), ...Array(10).fill('envelope')])
    assert.equal(queue.length, 160)
    assert.equal(queue.take(1000).length, 160)
    assert.equal(queue.length, 0)
  })
})
