/** Goal: questions between real nodes are answered once, within their bounds. Method: nodes on loopback. */
import assert from 'node:assert/strict'
import { utf8 } from '../../../../src/core/base/index.ts'
import { didOfName, type Libp2pRoom, libp2pRoom } from '../../../support/libp2p-room.ts'

describe('adapters/libp2p: exchange', () => {
  let room: Libp2pRoom
  beforeEach(async () => {
    room = await libp2pRoom()
  })
  afterEach(() => room.dispose())

  async function pair() {
    const one = await room.node({ name: 'one' })
    const two = await room.node({ name: 'two' })
    await one.start()
    await two.start()
    await one.join(two.addresses()[0] as string)
    return { one, two }
  }

  it('brings the answer of the peer that is asked, who knows by whom', async () => {
    const { one, two } = await pair()
    const did = await didOfName('two')
    two.exchange.onAsk(async (from, question) => utf8(`${from} asked ${question.length}`))
    const large = new Uint8Array(1024 * 1024)
    const answers = await Promise.all([
      one.exchange.ask(did, utf8('hi')),
      one.exchange.ask(did, large)
    ])
    const asker = await didOfName('one')
    assert.deepEqual(answers, [utf8(`${asker} asked 2`), utf8(`${asker} asked 1048576`)])
  })

  it('rejects when nobody answers, the answer fails, or there is no such peer', async () => {
    const { one, two } = await pair()
    const did = await didOfName('two')
    await assert.rejects(one.exchange.ask(did, utf8('hi')), { code: 'PEER_UNREACHABLE' })
    two.exchange.onAsk(() => Promise.reject(new DOMException('no', 'AbortError')))
    await assert.rejects(one.exchange.ask(did, utf8('hi')), { code: 'PEER_UNREACHABLE' })
    await assert.rejects(one.exchange.ask('did:key:zNobody', utf8('hi')), {
      code: 'PEER_UNREACHABLE'
    })
  })

  it('tells who answers that nobody waits any more', async () => {
    const { one, two } = await pair()
    const asker = new AbortController()
    const told = new Promise<void>(resolve => {
      two.exchange.onAsk((_from, _question, signal) => {
        signal.addEventListener('abort', () => resolve())
        asker.abort()
        return new Promise(() => undefined)
      })
    })
    const did = await didOfName('two')
    await assert.rejects(one.exchange.ask(did, utf8('hi'), asker.signal), {
      code: 'PEER_UNREACHABLE'
    })
    await told
  })
})
