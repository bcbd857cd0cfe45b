import { setTimeout as delay } from 'node:timers/promises'
import { type GossipSub, type Message, TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import type { PeerId } from '@libp2p/interface'
import type { Door, DoorVerdict, Logger } from '../../ports/index.ts'
import { FORWARD_MS, PEERS_WANTED } from './limits.ts'
import { didOf } from './peer-did.ts'

/** What the topic needs. `unplugged` cuts it: nothing goes out and nothing comes in. */
export type GossipInit = {
  readonly pubsub: GossipSub
  readonly topic: string
  readonly unplugged: boolean
  readonly logger: Logger
}

const RESULTS: Readonly<Record<DoorVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject
}

/**
 * The one topic. Its validator is the door: what the door does not accept is neither forwarded nor delivered, and a
 * rejected message lowers the score of the neighbour that forwarded it (R4, R5).
 */
export class Gossip {
  readonly #init: GossipInit
  #door: Door | null = null
  #isOpen = false

  constructor(init: GossipInit) {
    this.#init = init
  }

  start(): void {
    const { pubsub, topic } = this.#init
    pubsub.topicValidators.set(topic, (from, message) => this.#validate(from, message))
    pubsub.subscribe(topic)
    this.#isOpen = true
  }

  stop(): void {
    this.#isOpen = false
  }

  setDoor(door: Door): void {
    this.#door = door
  }

  /** Hands the bytes to the neighbours. Losing them is normal (R6), so failures are only logged. */
  async publish(bytes: Uint8Array): Promise<void> {
    if (!this.#isOpen || this.#init.unplugged) return
    try {
      await this.#init.pubsub.publish(this.#init.topic, bytes)
    } catch (error) {
      this.#init.logger.debug('gossip was not sent', { error: String(error) })
    }
  }

  subscribers(): number {
    return this.#init.pubsub.getSubscribers(this.#init.topic).length
  }

  /** Peer ids, as text, of the neighbours in the mesh. */
  mesh(): readonly string[] {
    const { pubsub, topic } = this.#init
    return (pubsub as GossipSub & { getMeshPeers(topic: string): string[] }).getMeshPeers(topic)
  }

  async #validate(from: PeerId, message: Message): Promise<TopicValidatorResult> {
    const did = didOf(from)
    if (!this.#isOpen || this.#init.unplugged || this.#door === null || did === null) {
      return TopicValidatorResult.Ignore
    }
    try {
      const verdict = await this.#door(message.data, did)
      // Gossipsub forwards what is accepted when it hears of it, and not to those who have said by then that they have it.
      if (verdict === 'accept' && this.subscribers() < PEERS_WANTED)
        await delay(FORWARD_MS, undefined, { ref: false })
      return RESULTS[verdict]
    } catch (error) {
      this.#init.logger.error('the door failed on a gossiped message; it was ignored', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error)
      })
      return TopicValidatorResult.Ignore
    }
  }
}
