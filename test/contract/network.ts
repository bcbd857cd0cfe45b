import assert from 'node:assert/strict'
import { MESSAGE_BYTES_MAX } from '../../src/core/base/index.ts'
import type { DoorVerdict, Network } from '../../src/ports/index.ts'
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.ts'
import { until } from '../support/until.ts'

/** How a node of a test is made. */
export type NodeOptions = {
  /** Nodes of one name have one key. */
  readonly name: string
  readonly bootstrap?: readonly string[]
  readonly unplug?: ReadonlySet<string>
  readonly logger?: RecordingLogger
}

/** Somewhere nodes can meet. */
export type NetworkRoom = {
  /** A node that is not started. */
  node(options: NodeOptions): Promise<Network>
  /** An address that a node of this name will have once it is started with it, and where nobody is yet. */
  addressOf(name: string): Promise<string>
  dispose(): Promise<void>
}

const text = new TextEncoder()
const plain = new TextDecoder()

/** What every implementation of the Network port does. Goal: memory and libp2p can be exchanged under the runtime. */
export function runNetworkContract(name: string, open: () => Promise<NetworkRoom>): void {
  describe(`contract/network: ${name}`, () => {
    let room: NetworkRoom
    beforeEach(async () => {
      room = await open()
    })
    afterEach(() => room.dispose())

    async function started(options: NodeOptions): Promise<Network> {
      const node = await room.node(options)
      await node.start()
      return node
    }

    /** Nodes n0, n1, ...: all but the first know the first only. Connected to each other when this resolves. */
    async function swarm(count: number, first: Partial<NodeOptions> = {}): Promise<Network[]> {
      const hub = await started({ name: 'n0', ...first })
      const bootstrap = [address(hub)]
      const others = Array.from({ length: count - 1 }, (_, i) =>
        started({ name: `n${i + 1}`, bootstrap })
      )
      const nodes = [hub, ...(await Promise.all(others))]
      await until('a full mesh', () => nodes.every(node => node.peers().length === count - 1))
      return nodes
    }

    describe('peers', () => {
      it('connects five nodes that know only the first to each other', async () => {
        const nodes = await swarm(5)
        const dids = nodes.map(node => node.did).sort()
        for (const node of nodes) {
          const seen = [...node.peers().map(peer => peer.did), node.did].sort()
          assert.deepEqual(seen, dids)
        }
      })

      it('announces a peer once when it comes and once when it goes', async () => {
        const a = await room.node({ name: 'a' })
        const events: string[] = []
        a.onPeer((did, connected) => events.push(`${connected ? '+' : '-'}${did}`))
        await a.start()
        const b = await started({ name: 'b', bootstrap: [address(a)] })
        await until('the peer came', () => events.length === 1)
        await b.stop()
        await until('the peer went', () => events.length === 2)
        assert.deepEqual(events, [`+${b.did}`, `-${b.did}`])
        assert.deepEqual(a.peers(), [])
      })

      it('finds a node again that was stopped and comes back with the same key', async () => {
        const nodes = await swarm(3)
        const [n0, n1, n2] = nodes as [Network, Network, Network]
        await n2.stop()
        await until('the others lost it', () => n0.peers().length + n1.peers().length === 2)
        const again = await started({ name: 'n2', bootstrap: [address(n1)] })
        assert.equal(again.did, n2.did)
        await until('everybody has everybody', () =>
          [n0, n1, again].every(node => node.peers().length === 2)
        )
      })

      it('warns of a bootstrap address where nobody is, and connects when somebody comes', async () => {
        const logger = recordingLogger()
        const later = await room.addressOf('late')
        const node = await started({ name: 'early', bootstrap: [later], logger })
        const warnings = () => logger.lines.filter(line => line.level === 'warn')
        await until('a warning', () => warnings().length > 0)
        assert.equal(warnings()[0]?.details['address'], later)
        const late = await started({ name: 'late' })
        await until('they are connected', () => node.peers()[0]?.did === late.did)
        assert.equal(warnings().length, 1)
      })

      it('makes one swarm of two that meet', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        const c = await started({ name: 'c' })
        const d = await started({ name: 'd', bootstrap: [address(c)] })
        await until('two swarms', () => c.peers().length + d.peers().length === 2)
        await c.join(address(a))
        await until('one swarm', () => [a, b, c, d].every(node => node.peers().length === 3))
      })

      it('joins an address, and refuses one where nobody is', async () => {
        const a = await started({ name: 'a' })
        const b = await started({ name: 'b' })
        await b.join(address(a))
        assert.deepEqual(
          b.peers().map(peer => peer.did),
          [a.did]
        )
        await b.join(address(a))
        await assert.rejects(b.join(await room.addressOf('nobody')), { code: 'PEER_UNREACHABLE' })
        await assert.rejects(b.join('nonsense'), { code: 'BAD_ADDRESS' })
        await assert.rejects(b.join(address(b)), { code: 'BAD_ADDRESS' })
      })

      it('measures a round trip, and says when there is none', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        assert.ok((await a.ping(b.did)) >= 0)
        await b.stop()
        await until('it went', () => a.peers().length === 0)
        await assert.rejects(a.ping(b.did), { code: 'PEER_UNREACHABLE' })
      })

      it('stops twice, and soon', async () => {
        const nodes = await swarm(3)
        nodes[0]?.onPeer(() => assert.fail('a node that stops announces nothing'))
        const begin = performance.now()
        await Promise.all([nodes[0]?.stop(), nodes[0]?.stop()])
        for (const node of nodes) await node.stop()
        for (const node of nodes) await node.stop()
        assert.ok(performance.now() - begin < 2500)
        assert.deepEqual(nodes[0]?.peers(), [])
      })
    })

    describe('gossip', () => {
      it('reaches every door once, not the own one, and names a neighbour', async () => {
        const nodes = await swarm(5)
        const arrivals = nodes.map(node => watchDoor(node))
        await until('a mesh', () => nodes.every(node => node.stats().meshPeers > 0))
        await nodes[4]?.gossip(text.encode('hello'))
        await until('it arrived', () => arrivals.slice(0, 4).every(seen => seen.length === 1))
        const dids = new Set(nodes.map(node => node.did))
        for (const [bytes, from] of arrivals.slice(0, 4).flat()) {
          assert.equal(plain.decode(bytes), 'hello')
          assert.ok(dids.has(from))
        }
        assert.deepEqual(arrivals[4], [])
      })

      it('treats messages that differ in one byte as two, and the same bytes as one', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        const seen = watchDoor(b)
        await until('a mesh', () => a.stats().meshPeers === 1)
        await a.gossip(text.encode('message 1'))
        await a.gossip(text.encode('message 1'))
        await a.gossip(text.encode('message 2'))
        await until('both arrived', () => seen.length >= 2)
        assert.deepEqual(
          seen.map(([bytes]) => plain.decode(bytes)),
          ['message 1', 'message 2']
        )
      })

      it('goes on after a door that throws, and logs it as an error', async () => {
        const logger = recordingLogger()
        const [a, b] = (await swarm(2, { logger })) as [Network, Network]
        let calls = 0
        a.setDoor(async () => {
          calls++
          throw new TypeError('broken door')
        })
        await until('a mesh', () => b.stats().meshPeers === 1)
        await b.gossip(text.encode('one'))
        await b.gossip(text.encode('two'))
        await until('the door was asked', () => calls === 2)
        await until(
          'errors',
          () => logger.lines.filter(line => line.level === 'error').length === 2
        )
      })

      it('delivers nothing and sends nothing when it is unplugged', async () => {
        const [cut, whole] = (await swarm(2, { unplug: new Set(['gossip']) })) as [Network, Network]
        const atCut = watchDoor(cut)
        const atWhole = watchDoor(whole)
        const messages: string[] = []
        cut.onMessage((_from, bytes) => messages.push(plain.decode(bytes)))
        whole.onMessage((from, bytes) => whole.send(from, bytes))
        await until('a mesh', () => whole.stats().meshPeers === 1)
        await whole.gossip(text.encode('in'))
        await cut.gossip(text.encode('out'))
        // Direct messages pass both ways after the gossip: what gossip would bring had its chance.
        cut.send(whole.did, text.encode('there and back'))
        await until('the direct way is open', () => messages.length === 1)
        assert.deepEqual([atCut, atWhole], [[], []])
      })
    })

    describe('direct messages', () => {
      it('arrive complete, in order, from the sender', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        const received = watchMessages(b)
        for (let i = 0; i < 500; i++) a.send(b.did, text.encode(`message ${i}`))
        await until('all arrived', () => received.length === 500)
        received.forEach(([from, bytes], i) => {
          assert.equal(from, a.did)
          assert.equal(plain.decode(bytes), `message ${i}`)
        })
      })

      it('pass both ways at once', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        const atA = watchMessages(a)
        const atB = watchMessages(b)
        a.send(b.did, text.encode('to b'))
        b.send(a.did, text.encode('to a'))
        await until('both arrived', () => atA.length === 1 && atB.length === 1)
      })

      it('of the greatest size pass; one byte more is dropped and harms nothing', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        const received = watchMessages(b)
        const largest = new Uint8Array(MESSAGE_BYTES_MAX).map((_, i) => i * 31)
        a.send(b.did, largest)
        a.send(b.did, new Uint8Array(MESSAGE_BYTES_MAX + 1))
        a.send(b.did, text.encode('after'))
        await until('two arrived', () => received.length === 2)
        assert.deepEqual(received[0]?.[1], largest)
        assert.equal(plain.decode(received[1]?.[1]), 'after')
        assert.equal(a.stats().dropped, 1)
      })

      it('above the bound of the queue are dropped and counted; the rest arrives', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        const received = watchMessages(b)
        const sent = 5000
        for (let i = 0; i < sent; i++) a.send(b.did, text.encode(String(i)))
        const { dropped, sendQueue } = a.stats()
        assert.ok(dropped > 0 && sendQueue > 0 && sendQueue < sent)
        assert.equal(dropped + sendQueue, sent)
        await until('the rest arrived', () => received.length === sent - dropped)
        assert.equal(plain.decode(received.at(-1)?.[1]), String(sent - dropped - 1))
        a.send(b.did, text.encode('room again'))
        await until('there is room again', () => received.length === sent - dropped + 1)
      })

      it('to nobody are dropped without an error', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        await b.stop()
        await until('it went', () => a.peers().length === 0)
        a.send(b.did, text.encode('too late'))
        a.send(a.did, text.encode('to myself'))
        a.send('did:key:nobody', text.encode('to nobody'))
        await until('all were dropped', () => a.stats().dropped === 3)
        assert.equal(a.stats().sendQueue, 0)
      })

      it('reach a peer that went and came back', async () => {
        const [a, b] = (await swarm(2)) as [Network, Network]
        const before = watchMessages(b)
        a.send(b.did, text.encode('before'))
        await until('it arrived', () => before.length === 1)
        await b.stop()
        await until('it went', () => a.peers().length === 0)
        const again = await room.node({ name: 'n1', bootstrap: [address(a)] })
        const after = watchMessages(again)
        await again.start()
        await until('it came back', () => a.peers().length === 1)
        a.send(b.did, text.encode('after'))
        await until('it arrived', () => after.length === 1)
      })
    })
  })
}

/** The first dialable address of a started node. */
function address(node: Network): string {
  const first = node.addresses()[0]
  assert.ok(first, 'a started node has an address')
  return first
}

function watchDoor(node: Network, verdict: DoorVerdict = 'accept'): [Uint8Array, string][] {
  const seen: [Uint8Array, string][] = []
  node.setDoor(async (bytes, from) => {
    seen.push([bytes, from])
    return verdict
  })
  return seen
}

function watchMessages(node: Network): [string, Uint8Array][] {
  const received: [string, Uint8Array][] = []
  node.onMessage((from, bytes) => received.push([from, bytes]))
  return received
}
