// Goal: an agent in the node's own process meets the same checks as one on the socket.
import assert from 'node:assert/strict'
import type { SwarmEvent } from '../../../src/core/swarm/index.ts'
import { localClient } from '../../../src/rpc/index.ts'
import { CID_A, CID_B, DID_A, FakeEvents, fakeHandlers } from '../../support/fake-handlers.ts'

const event: SwarmEvent = { type: 'thread', thread: CID_B, phase: 'OPEN', atMs: 1 }

describe('rpc/local-client', () => {
  it('checks parameters', async () => {
    const client = localClient(fakeHandlers({ 'peers.ping': async () => ({ rttMs: 2 }) }))
    assert.deepEqual(await client.call('peers.ping', { did: DID_A }), { rttMs: 2 })
    await assert.rejects(client.call('peers.ping', { did: 'me' }), { code: 'PARAMS_INVALID' })
    await assert.rejects(client.call('toString' as never, {} as never), { code: 'METHOD_UNKNOWN' })
  })

  it('keeps agents from what they may not do', async () => {
    const handlers = fakeHandlers({
      'node.stop': async () => ({ stopping: true }),
      'pins.rm': async () => ({ removed: CID_A })
    })
    await assert.rejects(localClient(handlers).call('node.stop', {}), { code: 'ACCESS_DENIED' })
    await assert.rejects(localClient(handlers, 'read').call('pins.rm', { cid: CID_A }), {
      code: 'ACCESS_DENIED'
    })
    assert.deepEqual(await localClient(handlers, 'admin').call('node.stop', {}), { stopping: true })
  })

  it('hands out copies', async () => {
    const addresses = ['/ip4/127.0.0.1/tcp/1']
    const client = localClient(
      fakeHandlers({ 'node.id': async () => ({ did: DID_A, peerId: 'p', addresses }) })
    )
    const result = await client.call('node.id', {})
    result.addresses.push('mine')
    assert.equal(addresses.length, 1)
  })

  it('cancels', async () => {
    const client = localClient(fakeHandlers({ 'pins.ls': () => new Promise(() => {}) }))
    const controller = new AbortController()
    const call = client.call('pins.ls', {}, { signal: controller.signal })
    controller.abort()
    await assert.rejects(call, { code: 'CANCELLED' })
    const other = client.call('pins.ls', {})
    client.close()
    await assert.rejects(other, { code: 'CANCELLED' })
    await assert.rejects(client.call('pins.ls', {}), { code: 'CANCELLED' })
  })

  it('streams events from the moment of the call, and cuts a reader that never reads', async () => {
    const events = new FakeEvents()
    const client = localClient(
      fakeHandlers({ 'events.subscribe': (_params, context) => events.subscribe(context) })
    )
    const stream = client.events()
    events.emit(event)
    assert.deepEqual((await stream[Symbol.asyncIterator]().next()).value, event)
    for (let i = 0; i < 10_000; i++) events.emit(event)
    assert.equal(events.listeners.size, 1)
    events.emit(event)
    await assert.rejects(
      async () => {
        for await (const _ of stream);
      },
      { code: 'SLOW_READER' }
    )
    assert.equal(events.listeners.size, 0)
  })

  it('ends the events when the signal aborts', async () => {
    const events = new FakeEvents()
    const client = localClient(
      fakeHandlers({ 'events.subscribe': (_params, context) => events.subscribe(context) })
    )
    const controller = new AbortController()
    const next = client.events(controller.signal)[Symbol.asyncIterator]().next()
    controller.abort()
    assert.equal((await next).done, true)
  })
})
