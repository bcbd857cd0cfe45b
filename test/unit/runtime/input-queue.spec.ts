// Goal: the queue is bounded in bytes as in number. Method: messages of a MiB.
import assert from 'node:assert/strict'
import { InputQueue, QUEUED_BYTES_MAX } from '../../../src/runtime/input-queue.ts'

const MEBIBYTE = 1024 * 1024
const message = { kind: 'message', from: 'a', message: { type: 'hello', threads: [] } } as const

describe('runtime/input-queue', () => {
  it('takes no more bytes than its limit, whatever the number of messages, and has room again when some are taken', () => {
    const queue = new InputQueue()
    const fitting = QUEUED_BYTES_MAX / MEBIBYTE
    for (let count = 0; count < fitting; count++) assert.ok(queue.offer(message, MEBIBYTE))
    assert.ok(!queue.offer(message, 1))
    assert.ok(queue.offer({ kind: 'tick' }), 'own inputs have no bytes')
    assert.equal(queue.take(2).length, 2)
    assert.ok(queue.offer(message, 2 * MEBIBYTE))
    assert.ok(!queue.offer(message, 1))
  })
})
