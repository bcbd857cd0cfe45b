import { unreachable } from '../core/base/index.ts'
import type { Effect, PeerMessage, SwarmEvent } from '../core/swarm/index.ts'
import type { Logger, Network } from '../ports/index.ts'
import type { Archivist } from './archivist.ts'
import { packMessages } from './batch-codec.ts'
import type { CommandDesk } from './command-desk.ts'
import type { Counters } from './counters.ts'
import type { Door } from './door.ts'
import type { Publisher } from './publisher.ts'

/** A part that a test takes out to see that the job fails without it (R21). */
export type Part = 'consensus' | 'gossip' | 'pull'

export type OutletComponents = {
  readonly network: Network
  readonly door: Door
  readonly archivist: Archivist
  readonly publisher: Publisher
  readonly commands: CommandDesk
  readonly dropped: Counters
  readonly logger: Logger
  readonly unplug: ReadonlySet<Part>
}

/** Carries out what the machine asks of the world, once the driver has written what it wants kept. */
export class Outlet {
  readonly #components: OutletComponents
  readonly #listeners = new Set<(event: SwarmEvent) => void>()

  constructor(components: OutletComponents) {
    this.#components = components
  }

  /** Listens to `observe` effects; returns how to stop. */
  listen(listener: (event: SwarmEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Carries out the effects of one batch of inputs in order; what goes to one peer leaves together, before the rest: others wait for it. */
  execute(effects: readonly Effect[]): void {
    this.#sendAll(effects)
    for (const effect of effects) this.#execute(effect)
  }

  #execute(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
      case 'send':
        // The driver has written the one, and the others have left.
        return
      case 'gossip':
        return this.#gossip(effect.bytes)
      case 'publish':
        return this.#components.publisher.publish(effect.draft, effect.lamport)
      case 'admit':
        void this.#components.door.admit(effect.bytes, effect.from, effect.origin)
        return
      case 'reply':
        return this.#components.commands.reply(effect.id, effect.result)
      case 'archive':
        return this.#components.archivist.keep(effect.thread, effect.archived)
      case 'recall':
        return this.#components.archivist.recall(effect.to, effect.pull)
      case 'seek-voters':
        return this.#components.network.seekVoters()
      case 'observe':
        return this.#observe(effect.event)
      default:
        return unreachable(effect)
    }
  }

  #sendAll(effects: readonly Effect[]): void {
    const byPeer = new Map<string, PeerMessage[]>()
    for (const effect of effects) {
      if (effect.kind !== 'send') continue
      const { to, message } = effect
      if (message.type === 'raft' && this.#components.unplug.has('consensus')) continue
      if (message.type === 'pull' && this.#components.unplug.has('pull')) continue
      const known = byPeer.get(to)
      if (known === undefined) byPeer.set(to, [message])
      else known.push(message)
    }
    for (const [to, messages] of byPeer) this.send(to, messages)
  }

  /** Sends direct messages to one peer, together where they fit. */
  send(to: string, messages: readonly PeerMessage[]): void {
    const { packed, dropped } = packMessages(messages)
    for (const type of dropped) this.#drop('message-too-large', { type })
    for (const bytes of packed) this.#components.network.send(to, bytes)
  }

  #gossip(bytes: Uint8Array): void {
    if (this.#components.unplug.has('gossip')) return
    this.#components.network.gossip(bytes).catch((error: unknown) => {
      // Gossip is a hint; peers pull what they lack (R6).
      this.#drop('gossip-failed', { error: String(error) })
    })
  }

  /** Listeners are isolated from each other and from the machine. */
  #observe(event: SwarmEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#components.logger.error('an event listener failed', {
          event: event.type,
          error: String(error)
        })
      }
    }
  }

  #drop(reason: string, details: Readonly<Record<string, unknown>>): void {
    this.#components.dropped.add(reason)
    this.#components.logger.debug('dropped', { reason, ...details })
  }
}
