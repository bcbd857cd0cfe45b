// Goal: what a client is told within one turn costs one write, and nothing of it is lost when the connection ends.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Connection, type ConnectionInit } from '../../../src/rpc/connection.ts'

describe('rpc/connection', () => {
  it('writes what is said in one turn as one piece', async () => {
    const { socket, writes } = client()
    socket.push('not json\n'.repeat(3))
    await nextTurn()
    await nextTurn()
    assert.deepEqual(writes, [3])
    socket.push('not json\n')
    await nextTurn()
    await nextTurn()
    assert.deepEqual(writes, [3, 1], 'and the next turn by itself')
  })

  it('says what it has to say before it ends', async () => {
    const { socket, connection, writes } = client()
    const finished = new Promise(resolve => socket.once('finish', resolve))
    connection.refuse(new Error('no'))
    await finished
    assert.deepEqual(writes, [1])
    socket.destroy()
  })
})

/** A connection over a socket that counts the messages of each write. */
function client(): { socket: Duplex; connection: Connection; writes: readonly number[] } {
  const writes: number[] = []
  const socket = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      writes.push(1)
      done()
    },
    writev: (chunks, done) => {
      writes.push(chunks.length)
      done()
    }
  })
  const init = { handlers: {}, logger: null, lineBytesMax: 1000, outgoingBytesMax: 1000 }
  const connection = new Connection(socket as Socket, init as unknown as ConnectionInit)
  return { socket, connection, writes }
}
