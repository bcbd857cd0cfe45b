// Goal: the small parts of the adapter: names, identities, addresses, delays, message ids.
import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { checkListenAddress, parsePeerAddress } from '../../../../src/adapters/libp2p/address.ts'
import { redialDelayMs } from '../../../../src/adapters/libp2p/dialer.ts'
import { messageId } from '../../../../src/adapters/libp2p/gossip-options.ts'
import { didOf, peerIdOf } from '../../../../src/adapters/libp2p/index.ts'
import { namesOf } from '../../../../src/adapters/libp2p/names.ts'
import {
  type OwnAddressesComponents,
  ownAddresses
} from '../../../../src/adapters/libp2p/own-addresses.ts'

describe('adapters/libp2p/peer-did', () => {
  it('gives DID and peer id of one key for each other', async () => {
    const peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const did = didOf(peerId)
    assert.match(did ?? '', /^did:key:z6Mk/u)
    assert.ok(peerIdOf(did ?? '')?.equals(peerId))
  })

  it('refuses what is not a DID of an Ed25519 key, and peers with other keys', async () => {
    assert.equal(peerIdOf('did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'), null)
    assert.equal(peerIdOf('nonsense'), null)
    assert.equal(didOf(peerIdFromPrivateKey(await generateKeyPair('secp256k1'))), null)
  })

  it('agrees with a known pair', () => {
    const peerId = peerIdFromString('12D3KooWMtbUyNcKodWtfgQy7EAy92V4Jeo4TQ5edxmi6XDHc5Qp')
    assert.equal(didOf(peerId), 'did:key:z6MkrXVMpVH3xGjsNHkFACPUDKxDdu2GqbFXNPKcYp2QdMUG')
  })
})

describe('adapters/libp2p/address', () => {
  it('reads the peer that an address names', () => {
    const id = '12D3KooWMtbUyNcKodWtfgQy7EAy92V4Jeo4TQ5edxmi6XDHc5Qp'
    assert.equal(parsePeerAddress(`/ip4/127.0.0.1/tcp/4001/p2p/${id}`).peerId?.toString(), id)
    assert.equal(parsePeerAddress('/dns4/example.org/tcp/4001').peerId, null)
  })

  it('refuses what is no address', () => {
    const flawed = ['', 'x', '/ip4/1.2.3.4', '/ip4/1.2.3.4/tcp/99999', '/ip4/1.2.3.4/udp/1/quic-v1']
    for (const address of flawed) {
      assert.throws(() => parsePeerAddress(address), { code: 'BAD_ADDRESS' }, address)
      assert.throws(() => checkListenAddress(address), { code: 'BAD_ADDRESS' }, address)
    }
  })
})

describe('adapters/libp2p/names', () => {
  it('differ in every part between two networks', () => {
    const main = Object.values(namesOf('main'))
    const test = Object.values(namesOf('test'))
    main.forEach((name, i) => {
      assert.notEqual(name, test[i])
    })
    assert.equal(namesOf('main').direct, '/can-swarm/main/direct/1.0.0')
  })

  it('keep the service name within a DNS label', () => {
    const [label] = namesOf('n'.repeat(64)).mdns.split('.')
    assert.ok((label ?? '').length < 64)
  })
})

describe('adapters/libp2p/gossip-options', () => {
  it('identifies a message by all of its bytes', () => {
    const bytes = new Uint8Array(300)
    const other = bytes.slice()
    other[299] = 1
    assert.equal(messageId('t', bytes).length, 32)
    assert.notDeepEqual(messageId('t', bytes), messageId('t', other))
    assert.notDeepEqual(messageId('t', bytes), messageId('u', bytes))
  })
})

describe('adapters/libp2p/own-addresses', () => {
  it('confirms public addresses that are listened on, and leaves private ones alone', () => {
    const confirmed: string[] = []
    const events = new EventTarget()
    ownAddresses()({
      addressManager: { confirmObservedAddr: address => confirmed.push(address.toString()) },
      events: events as unknown as OwnAddressesComponents['events']
    })
    const listener = {
      getAddrs: () =>
        ['/ip4/127.0.0.1/tcp/1', '/ip4/8.8.4.4/tcp/2', '/ip4/10.0.0.1/tcp/3'].map(text =>
          multiaddr(text)
        )
    }
    events.dispatchEvent(new CustomEvent('transport:listening', { detail: listener }))
    assert.deepEqual(confirmed, ['/ip4/8.8.4.4/tcp/2'])
  })
})

describe('adapters/libp2p/dialer', () => {
  it('waits a tenth of the outage, within bounds, with jitter', () => {
    assert.equal(redialDelayMs(0, 0.5), 200)
    assert.equal(redialDelayMs(20_000, 0.5), 2000)
    assert.equal(redialDelayMs(3600_000, 0.5), 15_000)
    assert.equal(redialDelayMs(20_000, 0), 1500)
    assert.equal(redialDelayMs(20_000, 1), 2500)
  })
})
