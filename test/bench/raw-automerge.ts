import { connect, createServer, type Server, type Socket } from 'node:net'
import * as A from '@automerge/automerge'
import { encode } from '../../src/core/codec/index.ts'
import type { Fact } from '../../src/core/envelope/index.ts'

type Doc = Record<string, Record<string, Uint8Array>>

/** Maps under the root, as in the plan's documents. */
const BUCKETS = 64

/** Stock Automerge with the same facts: a change for each group of facts, nobody's signature, nobody's policy. */
export function rawDocument(groups: readonly (readonly Fact[])[]): A.Doc<Doc> {
  let doc = A.init<Doc>({ actor: 'ab'.repeat(32) })
  doc = A.change(doc, { time: 0 }, maps => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) maps[bucket] = {}
  })
  groups.forEach((facts, group) => {
    doc = A.change(doc, { time: 0 }, maps => {
      facts.forEach((fact, at) => {
        const bucket = maps[(group + at) % BUCKETS] as Record<string, Uint8Array>
        bucket[`${group}/${at}`] = encode(fact)
      })
    })
  })
  return doc
}

/** Serves a document to one newcomer after the other by Automerge's own sync, over TCP on loopback. Resolves with the server. */
export async function serveRaw(source: A.Doc<Doc>): Promise<{ server: Server; port: number }> {
  const server = createServer(socket => {
    let doc = A.clone(source)
    let state = A.initSyncState()
    onFrames(socket, frame => {
      ;[doc, state] = A.receiveSyncMessage(doc, state, frame as A.SyncMessage)
      const [next, message] = A.generateSyncMessage(doc, state)
      state = next
      if (message !== null) sendFrame(socket, message)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as { port: number }).port }
}

/** Ms until a newcomer has these heads. */
export async function fetchRaw(port: number, heads: string): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  await new Promise(resolve => socket.once('connect', resolve))
  const before = performance.now()
  let doc = A.init<Doc>()
  let state = A.initSyncState()
  const say = (): void => {
    const [next, message] = A.generateSyncMessage(doc, state)
    state = next
    if (message !== null) sendFrame(socket, message)
  }
  await new Promise<void>(resolve => {
    onFrames(socket, frame => {
      ;[doc, state] = A.receiveSyncMessage(doc, state, frame as A.SyncMessage)
      if (A.getHeads(doc).join() === heads) resolve()
      else say()
    })
    say()
  })
  const ms = performance.now() - before
  socket.destroy()
  return ms
}

function sendFrame(socket: Socket, bytes: Uint8Array): void {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes.length)
  socket.write(Buffer.concat([head, bytes]))
}

function onFrames(socket: Socket, onFrame: (frame: Uint8Array) => void): void {
  let pending = Buffer.alloc(0)
  socket.on('data', data => {
    pending = Buffer.concat([pending, data])
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const size = pending.readUInt32BE(0)
      const frame = pending.subarray(4, 4 + size)
      pending = pending.subarray(4 + size)
      onFrame(Uint8Array.from(frame))
    }
  })
  socket.on('error', () => socket.destroy())
}
