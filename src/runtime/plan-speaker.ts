import type { Clock, SaidPlan } from '../ports/index.ts'

export type PlanSpeakerInit = {
  readonly clock: Clock
  readonly say: (thread: string, peer: string) => Promise<SaidPlan>
  /** Resolves when the peer has answered the message: it is ready for the next. */
  readonly send: (peer: string, thread: string, message: Uint8Array) => Promise<void>
  /** What was sent to a peer may not have come. */
  readonly reopen: (peer: string) => Promise<void>
}

type Peer = { readonly threads: Set<string>; isRunning: boolean; failures: number }

/** Wait after a failure before a peer is tried again, in ms, and how often in a row: then it speaks first, or connects again. */
const RETRY_MS = 2_000
const RETRIES_MAX = 5

/**
 * Says what there is to say: to each peer one message at a time, its threads in turn.
 */
export class PlanSpeaker {
  readonly #init: PlanSpeakerInit
  readonly #peers = new Map<string, Peer>()
  #isStopped = false
  /** Messages that peers have answered. */
  said = 0

  constructor(init: PlanSpeakerInit) {
    this.#init = init
  }

  stop(): void {
    this.#isStopped = true
    this.#peers.clear()
  }

  /** A peer is here, or here again. */
  meet(did: string): void {
    this.#peers.set(did, { threads: new Set(), isRunning: false, failures: 0 })
    this.#init.reopen(did).catch(() => undefined)
  }

  leave(did: string): void {
    this.#peers.delete(did)
  }

  /** There may be something to say to a peer about a thread. */
  tell(did: string, thread: string): void {
    const peer = this.#peers.get(did)
    if (peer === undefined) return
    peer.threads.add(thread)
    if (!peer.isRunning) void this.#run(did, peer)
  }

  async #run(did: string, peer: Peer): Promise<void> {
    peer.isRunning = true
    try {
      for (const thread of peer.threads) {
        if (this.#isOver(did, peer)) return
        peer.threads.delete(thread)
        await this.#say(did, peer, thread)
      }
      peer.failures = 0
    } catch {
      await this.#init.reopen(did).catch(() => undefined)
      this.#retry(did, peer)
    } finally {
      peer.isRunning = false
    }
  }

  async #say(did: string, peer: Peer, thread: string): Promise<void> {
    try {
      const { message, more } = await this.#init.say(thread, did)
      if (message === null || this.#isOver(did, peer)) return
      await this.#init.send(did, thread, message)
      this.said++
      // Behind the others: a large plan does not hold up small ones.
      if (more) peer.threads.add(thread)
    } catch (error) {
      peer.threads.add(thread)
      throw error
    }
  }

  #retry(did: string, peer: Peer): void {
    if (++peer.failures > RETRIES_MAX) {
      peer.threads.clear()
      peer.failures = 0
      return
    }
    this.#init.clock.after(RETRY_MS, () => {
      if (!this.#isOver(did, peer) && !peer.isRunning) void this.#run(did, peer)
    })
  }

  #isOver(did: string, peer: Peer): boolean {
    return this.#isStopped || this.#peers.get(did) !== peer
  }
}
