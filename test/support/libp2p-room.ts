import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  didOf,
  type Libp2pNetwork,
  type Libp2pNetworkInit,
  libp2pNetwork
} from '../../src/adapters/libp2p/index.ts'
import type { NetworkRoom, NodeOptions } from '../contract/network.ts'
import { recordingLogger } from './recording-logger.ts'

/** Real nodes on loopback, each port given by the system. */
export type Libp2pRoom = Omit<NetworkRoom, 'node'> & {
  node(options: NodeOptions & Partial<Libp2pNetworkInit>): Promise<Libp2pNetwork>
}

/** The key that a node of this name has. */
export function seedOf(name: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`test node ${name}`).digest())
}

/** The DID that a node of this name has. */
export async function didOfName(name: string): Promise<string> {
  const did = didOf(await peerIdOfName(name))
  assert.ok(did)
  return did
}

async function peerIdOfName(name: string): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seedOf(name)))
}

/** A port of loopback on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Opens a room of real nodes. Stops all of them when it is disposed. */
export async function libp2pRoom(): Promise<Libp2pRoom> {
  const nodes: Libp2pNetwork[] = []
  /** Ports that were promised to nodes which are not there yet. */
  const ports = new Map<string, number>()
  return {
    async node({ name, ...options }) {
      const node = await libp2pNetwork({
        seed: seedOf(name),
        did: await didOfName(name),
        networkName: 'test',
        listen: [`/ip4/127.0.0.1/tcp/${ports.get(name) ?? 0}`],
        bootstrap: [],
        mdns: false,
        logger: recordingLogger(),
        ...options
      })
      nodes.push(node)
      return node
    },
    async addressOf(name) {
      const port = ports.get(name) ?? (await freePort())
      ports.set(name, port)
      return `/ip4/127.0.0.1/tcp/${port}/p2p/${await peerIdOfName(name)}`
    },
    async dispose() {
      await Promise.all(nodes.map(node => node.stop()))
    }
  }
}
