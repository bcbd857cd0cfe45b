import { assert, type Refusal, type Result } from '../base/index.ts'
import type { Admitted, Draft } from '../envelope/index.ts'
import { GROUP_SIZE, type Verify } from '../roster/index.ts'
import type { SwarmEvent } from './events.ts'
import { EvidenceShelf } from './evidence-shelf.ts'
import { JournalImage } from './journal-image.ts'
import { OpenThreads } from './open-threads.ts'
import { OwnEnvelopes } from './refusals.ts'
import { Tombstones } from './tombstones.ts'
import type {
  AdmitOrigin,
  ArchivedThread,
  Effect,
  JournalRecord,
  PeerMessage,
  Pull
} from './types.ts'

/** Settings of the state machine. All times in ms. */
export type SwarmSettings = {
  /** Raft ticks (see runtime.tickMs) without a leader before an election. */
  readonly electionTicksMin: number
  /** Raft ticks between a leader's heartbeats. */
  readonly heartbeatTicks: number
  /** How far an entry's stamp may be ahead of a member's clock (R14). */
  readonly precisionMs: number
  /** How long a requester waits for invited candidates before it takes reserves. */
  readonly inviteMs: number
  /** How long after its last deadline a thread without a certificate is given up. */
  readonly graceMs: number
  /** How often an open thread is compared with some peer's (R6). */
  readonly pullMs: number
  /** Members of a group of more than the requester itself: 4 or 7. */
  readonly groupSize: number
  /** How long a chosen member may take to join before the requester opens a new epoch without it. */
  readonly joinMs: number
  /** How long a member may be away before the requester opens a new epoch without it. */
  readonly awayMs: number
  /** How long a group may be stuck before the requester opens a new epoch. */
  readonly stallMs: number
  /** How long nothing has come or happened in a thread before what its envelopes say is not held beside their bytes any more. */
  readonly restMs: number
  /** When votes and drafts that had no effect are tried again. */
  readonly retryMs: number
  /** How long a thread that is over and complete stays in memory: longer than anything about it still travels. */
  readonly lingerMs: number
  /** The same for one that ended without its certificate or log: peers that have them may come back. */
  readonly lingerIncompleteMs: number
}

export const swarmDefaults: SwarmSettings = {
  electionTicksMin: 10,
  heartbeatTicks: 2,
  precisionMs: 2_000,
  inviteMs: 500,
  graceMs: 5_000,
  pullMs: 5_000,
  groupSize: GROUP_SIZE,
  joinMs: 5_000,
  awayMs: 30_000,
  stallMs: 30_000,
  restMs: 5_000,
  retryMs: 1_000,
  lingerMs: 60_000,
  lingerIncompleteMs: 3_600_000
}

export type SwarmInit = {
  readonly did: string
  /** Signs statements (JOIN, votes). Pure: Ed25519 is deterministic. */
  readonly sign: (bytes: Uint8Array) => Uint8Array
  readonly verify: Verify
  /** Deterministic source of a whole number in [0, below). */
  readonly random: (below: number) => number
  readonly settings?: Partial<SwarmSettings>
}

/**
 * Largest step by which a foreign envelope moves our Lamport clock. A hostile sender must not be able to push it to
 * the end of the safe integers, where it could not advance any more.
 */
const LAMPORT_STEP_MAX = 1_000_000

/** How much later than it wanted a node may be woken before it counts as having been stopped, in ms. */
const OVERDUE_MS = 2_000

/** Peers that left of which it is known when. Of a member that is not among them the time of its group counts (see reform.ts). */
const LEFT_MAX = 4_096

/** What a member is locked on for (slot, epoch, stage). */
export type Lock = {
  /** In hex. */
  readonly digest: string
  /** PROPOSE of the decision (text CID); null for an outcome. */
  readonly proposal: string | null
}

/** What this node said when it sealed (slot, epoch) of one thread. */
export type OwnSeal = {
  readonly thread: string
  readonly roster: Uint8Array
  readonly digest: Uint8Array | null
  readonly proposal: string | null
}

/** What all parts of the machine share: identity, time, promises on disk, and the effects of the current step. */
export class Context {
  readonly did: string
  readonly sign: (bytes: Uint8Array) => Uint8Array
  readonly verify: Verify
  readonly random: (below: number) => number
  readonly settings: SwarmSettings
  /** Since when this node has run without being held up: nobody is found slow for what it missed itself. */
  steadySince = 0
  /** When the next input is expected at the latest. */
  expectedAt: number = Number.POSITIVE_INFINITY
  #nowMs = 0
  /** Connected swarm peers by DID. */
  readonly connected = new Set<string>()
  /** Newest manifest of each agent. */
  readonly manifests = new Map<string, Admitted<'MANIFEST'>>()
  /** When a peer that was here left, by DID; see `noteLeft`. */
  readonly leftAt = new Map<string, number>()
  /** Slot and epoch -> the own thread that chose a roster for it. A requester forms one group for each, whatever it has stated. */
  readonly chosen = new Map<string, string>()
  /** Own threads whose group is being formed, and since when. */
  readonly forming = new Map<string, number>()
  /** JOIN promises: scoped slot and epoch -> the thread, and its roster's hash in hex (R9). */
  readonly joins = new Map<string, { readonly thread: string; readonly roster: string }>()
  /** Finality locks: scoped slot, epoch and stage -> what this node votes for (R10). */
  readonly locks = new Map<string, Lock>()
  /** Epochs that this node has left for good: scoped slot and epoch -> its SEAL (R11). */
  readonly seals = new Map<string, OwnSeal>()
  /** Proofs of others' offences. */
  readonly evidence = new EvidenceShelf()
  /** Threads that are over and archived (R12). */
  readonly tombstones = new Tombstones()
  /** What a compacted journal has to say. */
  readonly image = new JournalImage()
  /** Commands that wait for their envelope, by its Lamport value. */
  readonly waiting = new Map<number, number>()
  readonly openThreads: OpenThreads = new OpenThreads()
  /** What this node said last, to know what a peer's refusal is about. */
  readonly own: OwnEnvelopes = new OwnEnvelopes()
  #lamport = 0
  #effects: Effect[] = []
  #soughtAt = Number.NEGATIVE_INFINITY

  constructor(init: SwarmInit) {
    this.did = init.did
    this.sign = init.sign
    this.verify = init.verify
    this.random = init.random
    this.settings = { ...swarmDefaults, ...init.settings }
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** The time of the input that is being stepped. One that is far overdue means that the machine was stopped. */
  set nowMs(nowMs: number) {
    if (nowMs > this.expectedAt + OVERDUE_MS || nowMs < this.#nowMs) this.steadySince = nowMs
    this.#nowMs = nowMs
  }

  /** Hands over the effects of the step and starts anew. */
  take(): readonly Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  persist(record: JournalRecord, options: { readonly sync: boolean }): void {
    if (record.type !== 'envelope') this.image.note(record)
    this.#effects.push({ kind: 'persist', records: [record], sync: options.sync })
  }

  send(to: string, message: PeerMessage): void {
    assert(to !== this.did, 'a node does not send to itself')
    this.#effects.push({ kind: 'send', to, message })
  }

  /** Asks the shell to sign; the envelope comes back as an input. Returns its Lamport value. */
  publish(draft: Draft): number {
    this.#lamport += 1
    this.#effects.push({ kind: 'publish', draft, lamport: this.#lamport })
    return this.#lamport
  }

  admit(bytes: Uint8Array, from: string, origin: AdmitOrigin): void {
    this.#effects.push({ kind: 'admit', bytes, from, origin })
  }

  gossip(bytes: Uint8Array): void {
    this.#effects.push({ kind: 'gossip', bytes })
  }

  reply(id: number, result: Result<unknown>): void {
    this.#effects.push({ kind: 'reply', id, result })
  }

  archive(thread: string, archived: ArchivedThread): void {
    this.#effects.push({ kind: 'archive', thread, archived })
  }

  recall(to: string, pull: Pull): void {
    this.#effects.push({ kind: 'recall', to, pull })
  }

  refuseCommand(id: number, refusal: Refusal): void {
    this.reply(id, { ok: false, refusal })
  }

  /** When `seekVoters` has something to do. */
  seekDueAt(): number {
    return this.#soughtAt + this.settings.pullMs
  }

  /** Asks the shell for voters that are not connected, once in a while: a lookup takes time, and so does a peer to say who it is. */
  seekVoters(): void {
    if (this.#nowMs < this.seekDueAt() && this.#nowMs >= this.#soughtAt) return
    this.#soughtAt = this.#nowMs
    this.#effects.push({ kind: 'seek-voters' })
  }

  observe(event: SwarmEvent): void {
    this.#effects.push({ kind: 'observe', event })
  }

  warn(thread: string | null, message: string): void {
    this.observe({ type: 'warning', thread, message, atMs: this.nowMs })
  }

  /** A peer that was here left. Those that left longest ago are forgotten first. */
  noteLeft(did: string): void {
    this.leftAt.set(did, this.#nowMs)
    const [oldest = did] = this.leftAt.keys()
    if (this.leftAt.size > LEFT_MAX) this.leftAt.delete(oldest)
  }

  /** This node's Lamport clock: own envelopes have no higher value. */
  lamport(): number {
    return this.#lamport
  }

  /** Lamport's rule: a clock is never behind what it has seen. Own values survive a restart because own envelopes do. */
  witness(lamport: number, sender: string): void {
    const isOwn = sender === this.did
    if (lamport > this.#lamport && (isOwn || lamport - this.#lamport <= LAMPORT_STEP_MAX))
      this.#lamport = lamport
  }
}
