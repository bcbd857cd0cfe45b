// Goal: in a swarm where all are probably neighbours an accepted message is forwarded a moment later, when most have said that they have it.
import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type GossipSub,
  type Message,
  type TopicValidatorFn,
  TopicValidatorResult
} from '@chainsafe/libp2p-gossipsub'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { Gossip } from '../../../../src/adapters/libp2p/gossip.ts'
import { FORWARD_MS, PEERS_WANTED } from '../../../../src/adapters/libp2p/limits.ts'
import type { DoorVerdict } from '../../../../src/ports/index.ts'

const TOPIC = 'envelopes'
const PEER = peerIdFromString('12D3KooWMtbUyNcKodWtfgQy7EAy92V4Jeo4TQ5edxmi6XDHc5Qp')
const { Accept, Ignore } = TopicValidatorResult

describe('adapters/libp2p/gossip', () => {
  it('hands a message to the door at once, and has it forwarded a moment later', async () => {
    const { judged, answers, say } = swarmOf(PEERS_WANTED - 1, 'accept')
    const saidAt = performance.now()
    const answer = say()
    await nextTurn()
    assert.equal(judged.length, 1)
    assert.deepEqual(answers, [])
    assert.equal(await answer, Accept)
    assert.ok(performance.now() - saidAt > FORWARD_MS / 2)
  })

  it('does not wait where there are more nodes than neighbours, nor with what is not forwarded', async () => {
    const large = swarmOf(PEERS_WANTED, 'accept')
    void large.say()
    const small = swarmOf(1, 'ignore')
    void small.say()
    await nextTurn()
    assert.deepEqual(large.answers, [Accept])
    assert.deepEqual(small.answers, [Ignore])
  })
})

type Said = {
  readonly judged: readonly Uint8Array[]
  readonly answers: readonly unknown[]
  readonly say: () => Promise<unknown>
}

function swarmOf(neighbours: number, verdict: DoorVerdict): Said {
  const judged: Uint8Array[] = []
  const answers: unknown[] = []
  const topicValidators = new Map<string, TopicValidatorFn>()
  const peers: PeerId[] = Array.from({ length: neighbours }, () => PEER)
  const pubsub = {
    topicValidators,
    subscribe: () => undefined,
    getSubscribers: () => peers
  } as unknown as GossipSub
  const silent = { error: assert.fail, warn: () => {}, info: () => {}, debug: () => {} }
  const gossip = new Gossip({ pubsub, topic: TOPIC, unplugged: false, logger: silent })
  gossip.setDoor(async bytes => {
    judged.push(bytes)
    return verdict
  })
  gossip.start()
  const say = async (): Promise<unknown> => {
    const message = { topic: TOPIC, data: new Uint8Array(8) } as Message
    const answer = await topicValidators.get(TOPIC)?.(PEER, message)
    answers.push(answer)
    return answer
  }
  return { judged, answers, say }
}
