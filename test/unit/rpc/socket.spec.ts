// Goal: the control socket does what it promises to well-behaved, clumsy and hostile clients. Method: a real server and
// real sockets in a temporary folder; the handlers are fakes.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer, connect as netConnect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { SwarmEvent } from '../../../src/core/swarm/index.ts'
import {
  connect,
  type Handlers,
  RefusedError,
  type RpcServer,
  type RpcServerInit,
  rpcServer,
  type SwarmClient
} from '../../../src/rpc/index.ts'
import {
  CID_A,
  CID_B,
  DID_A,
  FakeEvents,
  fakeHandlers,
  fakeStatus
} from '../../support/fake-handlers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

type ErrorBody = {
  code: number
  message: string
  data: { code: string; hint: string }
}
type Line = { id?: unknown; result?: unknown; error?: ErrorBody }

const event: SwarmEvent = { type: 'thread', thread: CID_B, phase: 'OPEN', atMs: 1 }

describe('rpc/socket', () => {
  const folder = temporaryFolder()
  const servers: RpcServer[] = []
  const closers: (() => void)[] = []

  const path = (): string => join(folder.path, 'run', 'node.sock')
  async function serve(
    handlers: Partial<Handlers>,
    init: Partial<RpcServerInit> = {}
  ): Promise<RpcServer> {
    const server = rpcServer({ socketPath: path(), handlers: fakeHandlers(handlers), ...init })
    await server.start()
    servers.push(server)
    return server
  }
  async function client(): Promise<SwarmClient> {
    const opened = await connect(path())
    closers.push(() => opened.close())
    return opened
  }
  async function raw(): Promise<{
    socket: Socket
    line: () => Promise<Line | null>
  }> {
    const socket = netConnect(path())
    closers.push(() => socket.destroy())
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    const line = async () => {
      const next = await lines.next()
      return next.done ? null : (JSON.parse(next.value) as Line)
    }
    return { socket, line }
  }
  const errorOf = (message: Line | null): ErrorBody => message?.error as ErrorBody

  afterEach(async () => {
    for (const close of closers.splice(0)) close()
    await Promise.all(servers.splice(0).map(server => server.stop()))
  })

  it('answers a call', async () => {
    await serve({ 'node.status': async () => fakeStatus() })
    assert.deepEqual(await (await client()).call('node.status', {}), fakeStatus())
  })

  it('makes the socket 0600 in a folder 0700', async () => {
    await serve({})
    assert.equal(statSync(path()).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder.path, 'run')).mode & 0o777, 0o700)
  })

  it('carries code, message and hint of an error', async () => {
    const refusal = new RefusedError({ code: 'POLICY_DENIED', message: 'budget too low' })
    await serve({ 'need.state': () => Promise.reject(refusal) })
    await assert.rejects(
      (await client()).call('need.state', { capability: 'text/upper', inputCid: CID_A }),
      {
        code: 'POLICY_DENIED',
        message: 'budget too low'
      }
    )
  })

  it('tells an unforeseen error as INTERNAL', async () => {
    await serve({ 'gc.run': () => Promise.reject(new TypeError('x is not a function')) })
    await assert.rejects((await client()).call('gc.run', {}), { code: 'INTERNAL' })
  })

  it('answers an error when a result cannot be written as JSON', async () => {
    await serve({ 'gc.run': async () => ({ removed: 1n }) as never })
    await assert.rejects((await client()).call('gc.run', {}), { code: 'INTERNAL' })
  })

  it('refuses parameters of the wrong form and names the field', async () => {
    await serve({})
    const it = await client()
    await assert.rejects(it.call('thread.get', { thread: 'nonsense' }), {
      code: 'PARAMS_INVALID',
      message: /thread: must be a CID/u
    })
    await assert.rejects(it.call('need.state', { capability: 'text/upper' }), {
      message: /exactly one of inputCid, inputCids and inputPath/u
    })
    await assert.rejects(it.call('gc.run', { force: true } as never), { code: 'PARAMS_INVALID' })
    await assert.rejects(it.call('artifacts.add', { path: 'relative', pin: true }), {
      message: /absolute/u
    })
  })

  it('runs requests side by side and matches their answers', async () => {
    const gate = Promise.withResolvers<void>()
    await serve({
      'peers.ping': async () => {
        await gate.promise
        return { rttMs: 1 }
      },
      'pins.ls': async () => []
    })
    const it = await client()
    const slow = it.call('peers.ping', { did: DID_A })
    assert.deepEqual(await it.call('pins.ls', {}), [])
    gate.resolve()
    assert.deepEqual(await slow, { rttMs: 1 })
  })

  it('sends progress before the result, in order', async () => {
    await serve({
      'artifacts.add': async (_params, context) => {
        for (let bytes = 1; bytes <= 3; bytes++) context.progress({ bytes, path: '/a' })
        return { cid: CID_A, bytes: 3, files: 1 }
      }
    })
    const seen: unknown[] = []
    const options = { onProgress: (data: unknown) => seen.push((data as { bytes: number }).bytes) }
    const result = await (await client()).call('artifacts.add', { path: '/a', pin: true }, options)
    assert.deepEqual(seen, [1, 2, 3])
    assert.equal(result.cid, CID_A)
  })

  it('aborts the handler when the caller cancels', async () => {
    const started = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    await serve({
      'artifacts.get': (_params, { signal }) => {
        started.resolve()
        signal.addEventListener('abort', () => aborted.resolve())
        return new Promise(() => {})
      }
    })
    const controller = new AbortController()
    const call = (await client()).call(
      'artifacts.get',
      { cid: CID_A, path: '/a' },
      { signal: controller.signal }
    )
    await started.promise
    controller.abort()
    await assert.rejects(call, { code: 'CANCELLED' })
    await aborted.promise
  })

  it('aborts the handler when the connection closes', async () => {
    const started = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    await serve({
      'artifacts.get': (_params, { signal }) => {
        started.resolve()
        signal.addEventListener('abort', () => aborted.resolve())
        return new Promise(() => {})
      }
    })
    const it = await client()
    const call = it.call('artifacts.get', { cid: CID_A, path: '/a' })
    await started.promise
    it.close()
    await assert.rejects(call, { code: 'CONNECTION_LOST' })
    await aborted.promise
  })

  it('tells running calls when the server stops', async () => {
    const started = Promise.withResolvers<void>()
    const server = await serve({
      'gc.run': () => {
        started.resolve()
        return new Promise(() => {})
      }
    })
    const call = (await client()).call('gc.run', {})
    await started.promise
    const lost = assert.rejects(call, { code: 'CONNECTION_LOST' })
    await server.stop()
    await lost
    assert.equal(existsSync(path()), false)
  })

  it('streams events until the reader leaves', async () => {
    const events = new FakeEvents()
    await serve({
      'events.subscribe': (_params, context) => events.subscribe(context),
      'pins.ls': async () => []
    })
    const it = await client()
    const stream = it.events()
    await it.call('pins.ls', {})
    assert.equal(events.listeners.size, 1)
    events.emit(event)
    for await (const seen of stream) {
      assert.deepEqual(seen, event)
      break
    }
    await it.call('pins.ls', {})
    assert.equal(events.listeners.size, 0)
  })

  it('ends the events with an error when the node goes away', async () => {
    const events = new FakeEvents()
    const server = await serve({
      'events.subscribe': (_params, context) => events.subscribe(context),
      'pins.ls': async () => []
    })
    const it = await client()
    const next = it.events()[Symbol.asyncIterator]().next()
    await it.call('pins.ls', {})
    const lost = assert.rejects(next, { code: 'CONNECTION_LOST' })
    await server.stop()
    await lost
  })

  it('cuts a subscriber that does not read, with a clear error, and no one else', async () => {
    const events = new FakeEvents()
    await serve(
      {
        'events.subscribe': (_params, context) => events.subscribe(context),
        'pins.ls': async () => []
      },
      { outgoingBytesMax: 4096 }
    )
    const slow = await raw()
    slow.socket.write('{"jsonrpc":"2.0","id":1,"method":"pins.ls"}\n')
    assert.equal((await slow.line())?.id, 1)
    slow.socket.pause()
    slow.socket.write('{"jsonrpc":"2.0","id":2,"method":"events.subscribe"}\n')
    const other = await client()
    while (events.listeners.size === 0) await other.call('pins.ls', {})
    while (events.listeners.size > 0) for (let i = 0; i < 100; i++) events.emit(event)
    slow.socket.resume()
    let last: Line | null = null
    for (let line = await slow.line(); line !== null; line = await slow.line()) last = line
    assert.equal(last?.id, 2)
    assert.equal(errorOf(last).data.code, 'SLOW_READER')
    assert.deepEqual(await other.call('pins.ls', {}), [])
  })

  it('holds a streaming handler back while its reader is behind', async () => {
    let sent = 0
    const total = 64
    const chunk = { base64: 'A'.repeat(256 * 1024) }
    await serve({
      'artifacts.cat': async (_params, context) => {
        for (; sent < total; sent++) {
          context.progress(chunk)
          await context.drained()
        }
        return { bytes: sent }
      },
      'pins.ls': async () => []
    })
    const slow = await raw()
    slow.socket.pause()
    slow.socket.write(
      `{"jsonrpc":"2.0","id":1,"method":"artifacts.cat","params":{"cid":"${CID_A}"}}\n`
    )
    const other = await client()
    while (sent === 0) await other.call('pins.ls', {})
    for (let i = 0; i < 20; i++) await other.call('pins.ls', {})
    assert.ok(sent < total, 'the handler waits for the reader')
    slow.socket.resume()
    let count = 0
    for (let line = await slow.line(); line?.id !== 1; line = await slow.line()) count++
    assert.equal(count, total)
  })

  it('answers a malformed line and stays open', async () => {
    await serve({ 'pins.ls': async () => [] })
    const { socket, line } = await raw()
    socket.write(
      '{"jsonrpc":\n[1]\n{"jsonrpc":"2.0","id":{},"method":"pins.ls"}\n\n{"jsonrpc":"2.0","id":7,"method":"pins.ls"}\n'
    )
    assert.deepEqual(
      [errorOf(await line()).code, errorOf(await line()).code, errorOf(await line()).code],
      [-32_700, -32_600, -32_600]
    )
    assert.deepEqual(await line(), { jsonrpc: '2.0', id: 7, result: [] })
  })

  it('refuses an unknown method and offers those near it', async () => {
    await serve({})
    const { socket, line } = await raw()
    socket.write(
      '{"jsonrpc":"2.0","id":1,"method":"pins.list"}\n{"jsonrpc":"2.0","id":2,"method":"__proto__"}\n'
    )
    const error = errorOf(await line())
    assert.equal(error.code, -32_601)
    assert.match(error.message, /pins\.ls/u)
    assert.equal(errorOf(await line()).data.code, 'METHOD_UNKNOWN')
  })

  it('refuses a line over the limit and closes', async () => {
    await serve({}, { lineBytesMax: 1000 })
    const { socket, line } = await raw()
    socket.write('x'.repeat(5000))
    assert.equal(errorOf(await line()).data.code, 'LINE_TOO_LONG')
    assert.equal(await line(), null)
  })

  it('says that an answer is too long for a line, and goes on', async () => {
    let pins: unknown[] = ['x'.repeat(13e6)]
    await serve({ 'pins.ls': async () => pins as never })
    const client = await connect(path())
    await assert.rejects(client.call('pins.ls', {}), { code: 'ANSWER_TOO_LONG' })
    pins = []
    assert.deepEqual(await client.call('pins.ls', {}), [])
    client.close()
  })

  it('refuses an id that is still in use, and the 257th request at once', async () => {
    await serve({ 'gc.run': () => new Promise(() => {}) })
    const { socket, line } = await raw()
    socket.write('{"jsonrpc":"2.0","id":1,"method":"gc.run"}\n'.repeat(2))
    assert.equal(errorOf(await line()).data.code, 'REQUEST_INVALID')
    for (let id = 2; id <= 257; id++)
      socket.write(`{"jsonrpc":"2.0","id":${id},"method":"gc.run"}\n`)
    const refused = await line()
    assert.equal(refused?.id, 257)
    assert.equal(errorOf(refused).data.code, 'TOO_MANY_REQUESTS')
  })

  it('ignores notifications that it does not know', async () => {
    await serve({ 'pins.ls': async () => [] })
    const { socket, line } = await raw()
    socket.write(
      '{"jsonrpc":"2.0","method":"gc.run"}\n{"jsonrpc":"2.0","method":"cancel","params":{"id":99}}\n{"jsonrpc":"2.0","id":1,"method":"pins.ls"}\n'
    )
    assert.equal((await line())?.id, 1)
  })

  it('splits lines however the bytes arrive', async () => {
    await serve({ 'need.state': async params => ({ thread: params.slot ?? '' }) })
    const { socket, line } = await raw()
    const request = {
      jsonrpc: '2.0',
      id: 1,
      method: 'need.state',
      params: { capability: 'a/b', inputCid: CID_A, slot: 'grün 🌍' }
    }
    for (const byte of Buffer.from(`${JSON.stringify(request)}\n`))
      socket.write(Uint8Array.of(byte))
    assert.deepEqual((await line())?.result, { thread: 'grün 🌍' })
  })

  describe('start', () => {
    it('takes over a stale socket', async () => {
      mkdirSync(join(folder.path, 'run'), { mode: 0o700 })
      // A server that is closed without unlinking is what SIGKILL leaves behind.
      const dead = createServer()
      await new Promise<void>(resolve => dead.listen(path(), resolve))
      const { linkSync } = await import('node:fs')
      linkSync(path(), `${path()}.kept`)
      await new Promise(resolve => dead.close(resolve))
      linkSync(`${path()}.kept`, path())
      await serve({ 'pins.ls': async () => [] })
      assert.deepEqual(await (await client()).call('pins.ls', {}), [])
    })

    it('refuses to run beside a live server, which goes on', async () => {
      await serve({ 'pins.ls': async () => [] })
      await assert.rejects(serve({}), { code: 'ALREADY_RUNNING' })
      assert.deepEqual(await (await client()).call('pins.ls', {}), [])
    })

    it('never removes a file that is no socket', async () => {
      mkdirSync(join(folder.path, 'run'), { mode: 0o700 })
      writeFileSync(path(), 'precious')
      await assert.rejects(serve({}), { code: 'SOCKET_UNUSABLE' })
      assert.ok(existsSync(path()))
    })

    it('refuses a folder that others may write to', async () => {
      mkdirSync(join(folder.path, 'run'))
      chmodSync(join(folder.path, 'run'), 0o777)
      await assert.rejects(serve({}), { code: 'SOCKET_UNUSABLE' })
    })

    it('removes a folder that was made for the socket alone', async () => {
      const own = join(folder.path, `can-swarm-${'0'.repeat(24)}`)
      await serve({}, { socketPath: join(own, 'node.sock') })
      assert.ok(existsSync(own))
      await servers.pop()?.stop()
      assert.ok(!existsSync(own))
      assert.ok(existsSync(folder.path))
    })

    it('refuses a path that is too long for a socket', async () => {
      await assert.rejects(
        serve({}, { socketPath: join(folder.path, 'x'.repeat(100), 'node.sock') }),
        { code: 'SOCKET_UNUSABLE' }
      )
    })
  })

  it('says what to run when there is no node', async () => {
    await assert.rejects(connect(path()), { code: 'NODE_NOT_RUNNING', message: /can-swarm start/u })
    await serve({})
    await servers.pop()?.stop()
    await assert.rejects(connect(path()), { code: 'NODE_NOT_RUNNING' })
  })
})
