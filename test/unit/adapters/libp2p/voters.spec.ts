// Goal: a node finds voters that it is not connected to and that nobody told it of. Method: real nodes on loopback, each of which knows one and the same peer;
// whom a search would dial is written down, since in a swarm as small as this the DHT itself connects everybody.
import assert from 'node:assert/strict'
import type { PeerId } from '@libp2p/interface'
import type { Dialer } from '../../../../src/adapters/libp2p/dialer.ts'
import type { Libp2pNetwork } from '../../../../src/adapters/libp2p/index.ts'
import type { Members } from '../../../../src/adapters/libp2p/members.ts'
import { namesOf } from '../../../../src/adapters/libp2p/names.ts'
import { Voters } from '../../../../src/adapters/libp2p/voters.ts'
import { type Libp2pRoom, libp2pRoom } from '../../../support/libp2p-room.ts'
import { recordingLogger } from '../../../support/recording-logger.ts'
import { until } from '../../../support/until.ts'

describe('adapters/libp2p/voters', () => {
  let room: Libp2pRoom
  const running = new AbortController()
  before(async () => {
    room = await libp2pRoom()
  })
  after(() => {
    running.abort()
    return room.dispose()
  })

  async function started(name: string, bootstrap: readonly string[]): Promise<Libp2pNetwork> {
    const node = await room.node({ name, bootstrap, peersWanted: 0 })
    await node.start()
    return node
  }

  /** Whom a search from this node dials that takes nobody for connected. */
  async function dialedBy(asker: Libp2pNetwork, network: string): Promise<string[]> {
    const dialed: string[] = []
    const voters = new Voters({
      host: asker.libp2p,
      members: { get: () => undefined } as unknown as Members,
      dialer: { seek: (id: PeerId) => dialed.push(String(id)) } as unknown as Dialer,
      key: namesOf(network).voters,
      logger: recordingLogger()
    })
    voters.start(running.signal)
    await voters.seek()
    // Asked again at once, it has nothing to say.
    await voters.seek()
    return dialed.sort()
  }

  it('are found in the DHT of their network by a node that nobody told of them, and only those that said so', async () => {
    const hub = await started('hub', [])
    const known = hub.addresses().slice(0, 1)
    const voters = await Promise.all(['v1', 'v2'].map(name => started(name, known)))
    const [asker] = await Promise.all(['asker', 'silent'].map(name => started(name, known)))
    assert(asker !== undefined)
    await until('all know the hub', () => hub.peers().length === 4)
    for (const voter of voters) voter.announceVoter()
    const wanted = voters.map(({ peerId }) => peerId).sort()
    let found: readonly string[] = []
    while (found.length < wanted.length) found = await dialedBy(asker, 'test')
    assert.deepEqual(found, wanted)
    assert.deepEqual(await dialedBy(asker, 'another'), [])
  })
})
