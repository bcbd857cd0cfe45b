import type { SwarmEvent } from '../core/swarm/index.ts'
import type {
  Clock,
  HeardPlan,
  Logger,
  PlanSession,
  PlanStore,
  PlanStreams
} from '../ports/index.ts'
import type { Door } from './door.ts'
import { Lanes } from './lanes.ts'
import type { PeerPace } from './peer-pace.ts'
import { decodePlanFrame, encodePlanFrame, type PlanFrame } from './plan-frame.ts'
import { PlanJudge } from './plan-judge.ts'
import { PlanOffers } from './plan-offers.ts'
import { PlanSpeaker } from './plan-speaker.ts'

export type PlanSyncComponents = {
  readonly plan: PlanStore
  readonly streams: PlanStreams
  readonly door: Pick<Door, 'admit'>
  readonly pace: PeerPace
  /** Resolves when what the door accepted has been stepped. */
  readonly settled: () => Promise<void>
  /** Whether a thread is followed here and not archived. */
  readonly isFollowed: (thread: string) => boolean
  /** Shows a peer the two updates by which a sender forked its session (PLAN-24). Returns their bytes. */
  readonly showFork: (peer: string, thread: string, fork: PlanSession) => number
  /** Threads that are followed and have UPDATE_PLANs. */
  readonly shared: () => Iterable<string>
  readonly clock: Clock
  readonly logger: Logger
}

export type PlanSyncStats = {
  /** Messages heard, and those said that the peer has answered. */
  readonly heard: number
  readonly said: number
  /** Envelopes that plan sync brought and the door accepted. */
  readonly brought: number
  /** Messages that no honest peer sends. */
  readonly lies: number
}

/** Messages that are read at once, and whose envelopes are judged at once; those of other peers wait. */
const HEARD_AT_ONCE = 2
/** Envelopes that are folded in the time that a link takes at the door. */
const FOLDED_PER_LINK = 16
/** Changes that bring nothing, such as those of a forked session that is held, which the worker compares in that time with some to spare; and bytes of frames. */
const COMPARED_PER_LINK = 2
const BYTES_PER_LINK: number = 64 * 1024
/** Time between two looks whether a peer that lied may be spoken to again, in ms. */
const BAN_LOOK_MS = 30_000
/** Bytes of forks that a peer is shown for one message of it. */
const SHOWN_BYTES_MAX = 512 * 1024
/** After the last local change of a plan, wait before peers are told, in ms: gossip mostly was faster. */
const SPREAD_MS = 1_000
/** Peers that are told of a local change. They tell others; which ones they are changes from time to time. */
const SPREAD_PEERS = 4

/**
 * Plan sync between nodes (protocols/plan): Automerge's sync protocol, spoken by the plan store; frames over streams of their own.
 *
 * 1. Nothing that comes over a stream counts but envelopes that the door accepts (R4).
 * 2. While the envelopes of a frame are judged the worker reads the next one of the same peer, and no more: it is answered when they have been.
 * 3. A peer that lies is not spoken to for a while.
 * 4. A peer that brings more than anybody needs waits for the answer to its frame, and nobody waits with it.
 */
export class PlanSync {
  readonly #components: PlanSyncComponents
  readonly #speaker: PlanSpeaker
  readonly #reading = new Lanes(HEARD_AT_ONCE)
  readonly #judging = new Lanes(HEARD_AT_ONCE)
  readonly #judge: PlanJudge
  /** Peer -> resolves when the envelopes of its last frame have been judged and it may bring more. */
  readonly #judged = new Map<string, Promise<void>>()
  readonly #peers = new Set<string>()
  /** Threads with a plan that more than the NEED and its proposals make. */
  readonly #shared = new Set<string>()
  /** Thread -> how to take back the timer that tells peers of it. */
  readonly #spreading = new Map<string, () => void>()
  /** Peer that is here and lied -> how to take back the next look whether it may be spoken to. */
  readonly #leftOut = new Map<string, () => void>()
  readonly #offers = new PlanOffers()
  #turn = 0
  #isStopped = false
  #heard = 0
  #lies = 0

  constructor(components: PlanSyncComponents) {
    this.#components = components
    const { plan, streams, clock, door } = components
    this.#judge = new PlanJudge({
      clock,
      door,
      isWanted: peer => !this.#isStopped && !streams.isBanned(peer)
    })
    this.#speaker = new PlanSpeaker({
      clock,
      say: (thread, peer) => plan.say(thread, peer),
      send: (peer, thread, message) => this.#send(peer, thread, message),
      reopen: peer => plan.reopen(peer)
    })
    streams.onFrame((from, frame) => this.#onFrame(from, frame))
  }

  start(): void {
    for (const thread of this.#components.shared()) this.#shared.add(thread)
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#spreading.values()) cancel()
    this.#spreading.clear()
    for (const did of [...this.#leftOut.keys()]) this.#cancelLook(did)
    this.#speaker.stop()
  }

  stats(): PlanSyncStats {
    return {
      heard: this.#heard,
      said: this.#speaker.said,
      brought: this.#judge.brought,
      lies: this.#lies
    }
  }

  onPeer(did: string, connected: boolean): void {
    if (this.#isStopped) return
    if (!connected) {
      this.#peers.delete(did)
      this.#cancelLook(did)
      this.#speaker.leave(did)
      this.#offers.leave(did)
      this.#components.plan.forget(did).catch(() => undefined)
      return
    }
    this.#peers.add(did)
    this.#welcome(did)
  }

  onEvent(event: SwarmEvent): void {
    if (this.#isStopped) return
    if (event.type === 'archived' || event.type === 'let-go') {
      this.#shared.delete(event.thread)
      this.#spreading.get(event.thread)?.()
      this.#spreading.delete(event.thread)
    } else if (event.type === 'envelope' && event.thread !== null) {
      this.#onEnvelope(event.thread, event.verb)
    }
  }

  /** Speaks to a peer that is here, or when it is left out because it lied, as soon as that is over. */
  #welcome(did: string): void {
    this.#cancelLook(did)
    if (!this.#components.streams.isBanned(did)) {
      this.#speaker.meet(did)
      for (const thread of this.#shared) this.#tell(did, thread)
      return
    }
    const again = (): void => this.#welcome(did)
    this.#leftOut.set(did, this.#components.clock.after(BAN_LOOK_MS, again))
  }

  #cancelLook(did: string): void {
    this.#leftOut.get(did)?.()
    this.#leftOut.delete(did)
  }

  #onEnvelope(thread: string, verb: string): void {
    if (verb === 'UPDATE_PLAN') {
      this.#shared.add(thread)
      this.#spread(thread)
    } else if (verb === 'NEED') {
      for (const did of this.#offers.take(thread)) this.#tell(did, thread)
    }
  }

  /** Tells some peers of a thread when it has been quiet for a moment. */
  #spread(thread: string): void {
    if (this.#spreading.has(thread)) return
    const cancel = this.#components.clock.after(SPREAD_MS, () => {
      this.#spreading.delete(thread)
      const peers = [...this.#peers]
      for (let count = 0; count < Math.min(SPREAD_PEERS, peers.length); count++)
        this.#tell(peers[this.#turn++ % peers.length] as string, thread)
    })
    this.#spreading.set(thread, cancel)
  }

  #tell(did: string, thread: string): void {
    if (!this.#components.streams.isBanned(did)) this.#speaker.tell(did, thread)
  }

  async #send(peer: string, thread: string, message: Uint8Array): Promise<void> {
    const frame = encodePlanFrame({ thread, message })
    if (frame !== null) await this.#components.streams.send(peer, frame)
  }

  async #onFrame(from: string, bytes: Uint8Array): Promise<void> {
    if (this.#isStopped || this.#components.streams.isBanned(from)) return
    const frame = decodePlanFrame(bytes)
    if (frame === null) return this.#convict(from, 'a frame that is too short')
    if (!this.#components.isFollowed(frame.thread)) return this.#offers.add(from, frame.thread)
    try {
      const heard = await this.#reading.run(() => this.#hear(from, frame))
      await this.#judged.get(from)
      if (heard !== null) this.#take(from, frame, heard)
    } catch (error) {
      this.#unread(from, frame.thread, error)
    }
  }

  /** The worker is gone or busy: the next message of either side goes on from there. */
  #unread(from: string, thread: string, error: unknown): void {
    const about = { from, thread, error: String(error) }
    this.#components.logger.debug('a sync message was not read', about)
  }

  /** What a frame brought; null when it was a lie. */
  async #hear(from: string, { thread, message }: PlanFrame): Promise<HeardPlan | null> {
    this.#heard++
    const heard = await this.#components.plan.hear(thread, from, message)
    if (heard.lie === null) return heard
    this.#convict(from, heard.lie)
    return null
  }

  /** Begins to judge what a peer has brought. */
  #take(from: string, frame: PlanFrame, heard: HeardPlan): void {
    const judged = this.#judgeAll(from, frame, heard)
      .catch(error => this.#unread(from, frame.thread, error))
      .finally(() => {
        if (this.#judged.get(from) === judged) this.#judged.delete(from)
      })
    this.#judged.set(from, judged)
  }

  /** Resolves when the next of this peer may be judged: it need not wait for the worker to take this in. */
  async #judgeAll(from: string, frame: PlanFrame, heard: HeardPlan): Promise<void> {
    const { thread, message } = frame
    const { envelopes, forks } = heard
    const { clock, pace, settled } = this.#components
    const rejected = await this.#judging.run(() => this.#judge.judge(from, envelopes))
    if (rejected !== null) this.#convict(from, `an envelope that the door rejects: ${rejected}`)
    await settled()
    if (rejected === null) this.#showForks(from, thread, forks)
    this.#answer(from, thread).catch(error => this.#unread(from, thread, error))
    await this.#wait(pace.spend(from, costOf(heard, message.length), clock.nowMs()))
  }

  #showForks(peer: string, thread: string, forks: readonly PlanSession[]): void {
    let bytes = 0
    for (const fork of forks) {
      if (bytes >= SHOWN_BYTES_MAX) return
      bytes += this.#components.showFork(peer, thread, fork)
    }
  }

  /** Answers what a peer has brought. */
  async #answer(from: string, thread: string): Promise<void> {
    await this.#components.plan.judged(thread, from)
    this.#tell(from, thread)
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>(resolve => this.#components.clock.after(ms, resolve))
  }

  #convict(did: string, why: string): void {
    this.#lies++
    this.#components.logger.warn(
      'a peer sent what no honest node sends in plan sync; it is left out of it',
      {
        did,
        why
      }
    )
    this.#speaker.leave(did)
    this.#components.plan.forget(did).catch(() => undefined)
    this.#components.streams.ban(did)
    if (this.#peers.has(did)) this.#welcome(did)
  }
}

/**
 * In links: what a peer was shown for it costs as much as what it brought. What had to be folded, compared or only read for it costs a part, so
 * that nothing is free.
 */
function costOf({ envelopes, forks, compared, folded }: HeardPlan, bytes: number): number {
  return (
    envelopes.length +
    2 * forks.length +
    Math.ceil((compared - envelopes.length) / COMPARED_PER_LINK) +
    Math.ceil(folded / FOLDED_PER_LINK) +
    Math.ceil(bytes / BYTES_PER_LINK)
  )
}
