// Goal: what only the real network can get wrong: ports, strangers, hostile frames, broken streams, memory of peers.
// Method: real nodes on loopback, and bare libp2p nodes as strangers.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { gossipsub, StrictNoSign } from '@chainsafe/libp2p-gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { LevelDatastore } from 'datastore-level'
import { createLibp2p } from 'libp2p'
import type { Libp2pNetwork } from '../../../../src/adapters/libp2p/index.ts'
import { Watchdog } from '../../../../src/adapters/libp2p/watchdog.ts'
import { MESSAGE_BYTES_MAX } from '../../../../src/core/base/index.ts'
import { type Libp2pRoom, libp2pRoom } from '../../../support/libp2p-room.ts'
import { recordingLogger } from '../../../support/recording-logger.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { until } from '../../../support/until.ts'

const TOPIC = '/can-swarm/test/envelopes/1'
const DIRECT = '/can-swarm/test/direct/1.0.0'
const text = new TextEncoder()
const plain = new TextDecoder()

describe('adapters/libp2p/network', () => {
  const folder = temporaryFolder()
  let room: Libp2pRoom
  const strangers: Libp2p[] = []
  beforeEach(async () => {
    room = await libp2pRoom()
  })
  afterEach(async () => {
    await room.dispose()
    for (const stranger of strangers.splice(0)) await stranger.stop()
  })

  type StartOptions = Parameters<Libp2pRoom['node']>[0]
  async function started(options: StartOptions): Promise<Libp2pNetwork> {
    const node = await room.node(options)
    await node.start()
    return node
  }

  async function pair(): Promise<[Libp2pNetwork, Libp2pNetwork]> {
    const a = await started({ name: 'a' })
    const b = await started({ name: 'b', bootstrap: [address(a)] })
    await until('they are connected', () => a.peers().length === 1 && b.peers().length === 1)
    return [a, b]
  }

  /** A libp2p node that knows nothing of swarms, with or without gossip. */
  async function stranger(options: { readonly gossip?: boolean } = {}) {
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: {
        identify: identify(),
        ping: ping(),
        ...(options.gossip === true
          ? {
              pubsub: gossipsub({
                globalSignaturePolicy: StrictNoSign,
                msgIdFn: message => message.data,
                allowPublishToZeroTopicPeers: true,
                scoreParams: { IPColocationFactorWeight: 0 }
              })
            }
          : {})
      }
    })
    strangers.push(node)
    return node
  }

  describe('start', () => {
    it('says which port is in use', async () => {
      const server = await listening()
      const { port } = server.address() as { port: number }
      const taken = `/ip4/127.0.0.1/tcp/${port}`
      const node = await room.node({ name: 'a', listen: [taken] })
      await assert.rejects(node.start(), { code: 'PORT_IN_USE', details: { address: taken } })
      await node.stop()
      server.close()
    })

    it('names the address in use among several', async () => {
      const server = await listening()
      const { port } = server.address() as { port: number }
      const taken = `/ip4/127.0.0.1/tcp/${port}`
      const node = await room.node({ name: 'a', listen: ['/ip4/127.0.0.1/tcp/0', taken] })
      await assert.rejects(node.start(), { code: 'PORT_IN_USE', details: { address: taken } })
      server.close()
    })

    it('refuses addresses that are none, or of another machine', async () => {
      await assert.rejects(room.node({ name: 'a', listen: ['127.0.0.1:4001'] }), {
        code: 'BAD_ADDRESS'
      })
      await assert.rejects(room.node({ name: 'a', listen: ['/ip4/127.0.0.1/udp/1'] }), {
        code: 'BAD_ADDRESS'
      })
      await assert.rejects(room.node({ name: 'a', bootstrap: ['/ip4/127.0.0.1/tcp/1/p2p/Qmx'] }), {
        code: 'BAD_ADDRESS'
      })
      const elsewhere = await room.node({ name: 'a', listen: ['/ip4/192.0.2.1/tcp/0'] })
      await assert.rejects(elsewhere.start(), { code: 'BAD_ADDRESS' })
    })

    it('does not wait for peers that are not there', async () => {
      const nobody = await room.addressOf('nobody')
      const alone = await room.node({ name: 'alone' })
      const node = await room.node({ name: 'a', bootstrap: [nobody, '/ip4/127.0.0.1/tcp/9'] })
      const begin = performance.now()
      await alone.start()
      const control = performance.now()
      await node.start()
      assert.ok(performance.now() - control < 2 * (control - begin) + 500)
      assert.equal(node.addresses().length, 1)
    })

    it('takes the own address in the bootstrap list as no peer at all', async () => {
      const own = await room.addressOf('a')
      const logger = recordingLogger()
      await started({ name: 'a', bootstrap: [own], logger })
      const other = await started({ name: 'b', bootstrap: [own] })
      await until('the other came', () => other.peers().length === 1)
      assert.deepEqual(
        logger.lines.filter(line => line.level === 'warn'),
        []
      )
    })
  })

  describe('strangers', () => {
    it('are connected to, but are no peers', async () => {
      const a = await room.node({ name: 'a' })
      a.onPeer(() => assert.fail('a stranger is not a peer'))
      await a.start()
      const other = await stranger()
      const identified = new Promise(resolve =>
        a.libp2p.addEventListener('peer:identify', resolve, { once: true })
      )
      await other.dial(multiaddr(address(a)))
      await identified
      assert.deepEqual(a.peers(), [])
      assert.equal(a.stats().connections, 1)
    })

    it('and nodes of another network cannot be joined', async () => {
      const a = await started({ name: 'a' })
      const other = await stranger()
      const foreign = await started({ name: 'b', networkName: 'other' })
      const [there] = other.getMultiaddrs()
      await assert.rejects(a.join(String(there)), { code: 'WRONG_NETWORK' })
      await assert.rejects(a.join(address(foreign)), { code: 'WRONG_NETWORK' })
    })

    it('are not taken for the peer that an address names', async () => {
      const a = await started({ name: 'a' })
      const b = await started({ name: 'b' })
      const wrong = address(b).replace(b.peerId, (await room.node({ name: 'c' })).peerId)
      await assert.rejects(a.join(wrong), { code: 'PEER_UNREACHABLE' })
    })

    it('that send a frame above the limit lose their stream and nothing else', async () => {
      const [a, b] = await pair()
      const received: string[] = []
      a.onMessage((_from, bytes) => received.push(plain.decode(bytes)))
      const hostile = await stranger()
      const connection = await hostile.dial(multiaddr(address(a)))
      const stream = await connection.newStream(DIRECT)
      // The length prefix alone: MESSAGE_BYTES_MAX + 1 as a varint.
      const length = MESSAGE_BYTES_MAX + 1
      stream.send(new Uint8Array([(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14]))
      await until('the stream is gone', () => stream.status !== 'open')
      b.send(a.did, text.encode('still here'))
      await until('others are heard', () => received.includes('still here'))
    })
  })

  describe('the door', () => {
    /** source -> middle -> end, where source and end do not know each other. */
    async function line() {
      const middle = await started({ name: 'middle' })
      const end = await started({ name: 'end', bootstrap: [address(middle)] })
      const source = await stranger({ gossip: true })
      const pubsub = source.services['pubsub'] as ReturnType<ReturnType<typeof gossipsub>>
      pubsub.subscribe(TOPIC)
      await source.dial(multiaddr(address(middle)))
      const arrived: string[] = []
      end.setDoor(async bytes => {
        arrived.push(plain.decode(bytes))
        return 'accept'
      })
      await until(
        'a line',
        () => middle.stats().topicSubscribers === 2 && middle.stats().meshPeers === 2
      )
      await until('the source sees it', () => pubsub.getSubscribers(TOPIC).length === 1)
      return { middle, pubsub, arrived }
    }

    it('stops what it does not accept: nothing is forwarded', async () => {
      const { middle, pubsub, arrived } = await line()
      const asked: string[] = []
      middle.setDoor(async bytes => {
        const message = plain.decode(bytes)
        asked.push(message)
        return message === 'bad' ? 'reject' : message === 'odd' ? 'ignore' : 'accept'
      })
      for (const message of ['bad', 'odd', 'good'])
        await pubsub.publish(TOPIC, text.encode(message))
      await until('the good one came through', () => arrived.length > 0)
      assert.deepEqual(asked, ['bad', 'odd', 'good'])
      assert.deepEqual(arrived, ['good'])
    })

    it('is awaited before a message is forwarded', async () => {
      const { middle, pubsub, arrived } = await line()
      const { promise, resolve } = Promise.withResolvers<'accept'>()
      let isAsked = false
      middle.setDoor(() => {
        isAsked = true
        return promise
      })
      await pubsub.publish(TOPIC, text.encode('slow'))
      await until('the door was asked', () => isAsked)
      assert.deepEqual(arrived, [])
      resolve('accept')
      await until('it came through', () => arrived.length === 1)
    })

    it('that rejects costs the neighbour its score, until it is not heard any more', async () => {
      const { middle, pubsub } = await line()
      let asked = 0
      middle.setDoor(async () => {
        asked++
        return 'reject'
      })
      const scores = middle.libp2p.services.pubsub as unknown as { getScore(id: string): number }
      const source = strangers[0]?.peerId.toString() ?? ''
      for (let i = 0; i < 5; i++) {
        await pubsub.publish(TOPIC, text.encode(`bad ${i}`))
        await until('the door was asked', () => asked === i + 1)
      }
      await until('the score fell', () => scores.getScore(source) < -160)
    })
  })

  describe('peers', () => {
    it('have an agent, a round trip time and a place in the mesh', async () => {
      const a = await started({ name: 'a' })
      const b = await started({ name: 'b', bootstrap: [address(a)], agent: 'tester/1' })
      await until('everything is known', () => {
        const [peer] = a.peers()
        return peer?.inMesh === true && peer.rttMs !== null && peer.agent === 'tester/1'
      })
      const [peer] = a.peers()
      assert.equal(peer?.direction, 'inbound')
      assert.equal(peer?.did, b.did)
      assert.equal(peer?.peerId, b.peerId)
      await until('the DHT has it', () => a.stats().dhtPeers === 1)
    })

    it('that restart on another port are found by nodes that nobody restarted', async () => {
      const n0 = await started({ name: 'n0' })
      const bootstrap = [address(n0)]
      const n1 = await started({ name: 'n1', bootstrap })
      const n2 = await started({ name: 'n2', bootstrap })
      await until('a mesh', () => [n0, n1, n2].every(node => node.peers().length === 2))
      const before = address(n2)
      await n2.stop()
      await until('it is gone', () => n0.peers().length + n1.peers().length === 2)
      const begin = performance.now()
      const again = await started({ name: 'n2', bootstrap })
      assert.notEqual(address(again), before)
      await until('all have all', () => [n0, n1, again].every(node => node.peers().length === 2))
      assert.ok(performance.now() - begin < 3000)
    })

    it('are remembered: a node that comes back without a bootstrap list finds its swarm', async () => {
      const other = await started({ name: 'other' })
      const datastore = new LevelDatastore(folder.path)
      await datastore.open()
      const first = await started({ name: 'a', datastore })
      await first.join(address(other))
      await until('it is a peer', () => other.peers().length === 1)
      await first.stop()
      await datastore.close()
      await until('it is gone', () => other.peers().length === 0)
      const reopened = new LevelDatastore(folder.path)
      await reopened.open()
      const again = await started({ name: 'a', datastore: reopened })
      await until('they found each other', () => again.peers().length === 1)
      await again.stop()
      await reopened.close()
    })

    it('that lost their gossip stream are dialled afresh', async () => {
      const [a, b] = await pair()
      await until('a mesh', () => a.stats().meshPeers === 1)
      const connection = a.libp2p.getConnections()[0]
      const gossipStream = () =>
        a.libp2p
          .getConnections()
          .flatMap(each => each.streams)
          .find(each => each.direction === 'outbound' && each.protocol.startsWith('/meshsub/'))
      gossipStream()?.abort(new DOMException('broken', 'AbortError'))
      await until('the stream is gone', () => gossipStream() === undefined)
      const members = { get: () => a.peers()[0], isIdentified: () => true }
      const watchdog = new Watchdog({
        host: a.libp2p,
        members: members as unknown as ConstructorParameters<typeof Watchdog>[0]['members'],
        logger: recordingLogger()
      })
      watchdog.check(0)
      assert.equal(connection?.status, 'open')
      watchdog.check(10_000)
      await until('there is a new stream', () => gossipStream()?.status === 'open')
      assert.notEqual(a.libp2p.getConnections()[0]?.id, connection?.id)
      const seen: string[] = []
      b.setDoor(async bytes => {
        seen.push(plain.decode(bytes))
        return 'accept'
      })
      await until('a mesh again', () => a.stats().meshPeers === 1)
      await a.gossip(text.encode('after'))
      await until('gossip flows', () => seen.length === 1)
    })
  })
})

function address(node: Libp2pNetwork): string {
  const [first] = node.addresses()
  assert.ok(first)
  return first
}

async function listening(): Promise<Server> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}
