// Goal: the network port means the same in memory and on libp2p. Method: one suite, two set-ups; libp2p runs real nodes on loopback.
import { MemoryHub } from '../../src/adapters/memory/index.ts'
import type { Network } from '../../src/ports/index.ts'
import { didOfName, libp2pRoom } from '../support/libp2p-room.ts'
import { recordingLogger } from '../support/recording-logger.ts'
import { runNetworkContract } from './network.ts'

runNetworkContract('memory', async () => {
  const hub = new MemoryHub()
  const nodes: Network[] = []
  return {
    async node({ name, ...options }) {
      const node = hub.network({
        did: await didOfName(name),
        logger: recordingLogger(),
        ...options
      })
      nodes.push(node)
      return node
    },
    addressOf: async name => (await didOfName(name)).replace('did:key:', '/memory/'),
    async dispose() {
      await Promise.all(nodes.map(node => node.stop()))
    }
  }
})

runNetworkContract('libp2p', libp2pRoom)
