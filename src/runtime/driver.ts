import {
  CLOCK_SKEW_MS_MAX,
  ENVELOPE_LIFE_MS_MAX,
  type Refusal,
  type Result,
  refuse,
  SENDER_ENVELOPES_PER_SECOND,
  SwarmError
} from '../core/base/index.ts'
import type { Admitted, Draft, SenderWindow } from '../core/envelope/index.ts'
import {
  type Command,
  type Effect,
  type Input,
  type JournalRecord,
  type SwarmEvent,
  splitEarly
} from '../core/swarm/index.ts'
import type {
  Archive,
  Clock,
  DoorVerdict,
  Entropy,
  Journal,
  Logger,
  Network,
  PolicyEngine,
  Signer,
  VerifySignature,
  VerifySignatureAside
} from '../ports/index.ts'
import { Archivist } from './archivist.ts'
import { type Unpacked, unpackMessages } from './batch-codec.ts'
import { CommandDesk } from './command-desk.ts'
import { Compaction } from './compaction.ts'
import { Counters } from './counters.ts'
import { Door } from './door.ts'
import { EnvelopeIntake } from './envelope-intake.ts'
import { JournalRecordError } from './errors.ts'
import { InputQueue, type QueuedInput } from './input-queue.ts'
import { decodeStored, encodeRecord } from './journal-codec.ts'
import type { Machine } from './machine.ts'
import { Outlet, type Part } from './outlet.ts'
import { PeerPace } from './peer-pace.ts'
import { Publisher } from './publisher.ts'
import { RefusalNotices } from './refusal-notices.ts'
import type { SeenRecord } from './seen-codec.ts'
import { Ticker } from './ticker.ts'

export type DriverComponents = {
  readonly machine: Machine
  readonly journal: Journal
  readonly archive: Archive
  readonly network: Network
  readonly policy: PolicyEngine
  readonly verify: VerifySignature
  readonly verifyAside?: VerifySignatureAside
  readonly signer: Signer
  readonly clock: Clock
  readonly entropy: Entropy
  readonly logger: Logger
}

export type DriverInit = {
  /** Between ticks while the machine wants every tick, in ms. Raft counts these. */
  readonly tickMs?: number
  /** Most between ticks otherwise, in ms: what has no deadline of its own is looked after then. */
  readonly idleTickMs?: number
  /** How long `stop` waits for queued inputs, in ms. */
  readonly stopMs?: number
  readonly unplug?: ReadonlySet<Part>
  /** Envelopes that one sender may have accepted per second. */
  readonly senderPerSecond?: number
  /** Bytes of a journal below which it is not compacted; the default suits a disk. */
  readonly compactBytesMin?: number
  /** The driver has stopped for good because of a bug or a failed journal; the process must end (R13). Called once. */
  readonly onFatal: (error: Error) => void
}

export type DriverStats = {
  /** Inputs that wait. */
  readonly queued: number
  /** Inputs stepped since the start. */
  readonly inputs: number
  /** Appends to the journal, and how many of them asked for an fsync. */
  readonly appends: number
  readonly syncs: number
  /** What was dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** What the door refused, by code; `ACCEPTED` counts the rest. */
  readonly door: Readonly<Record<string, number>>
}

/** Inputs stepped before their effects run: bounds a batch's time on the event loop and what one fsync waits for. */
const BATCH_INPUTS_MAX = 256

type State = 'new' | 'starting' | 'running' | 'stopping' | 'stopped' | 'failed'

/**
 * Runs a pure machine in the world: takes inputs in order, steps the machine, and executes its effects.
 *
 * 1. The records of a batch are written with one append, and synced when any of them asks for it.
 * 2. No other effect of the batch runs before that append has resolved (R13), but for what `splitEarly` takes out. Then they run in order.
 * 3. A machine that throws, or a journal that fails, ends the driver; nothing of that batch leaves.
 */
export class Driver {
  readonly door: Door
  /** What peers bring of plans, in whatever way. */
  readonly pace: PeerPace = new PeerPace()
  readonly #components: DriverComponents
  readonly #init: Required<Omit<DriverInit, 'compactBytesMin'>>
  readonly #queue = new InputQueue()
  readonly #ticker: Ticker
  readonly #publisher: Publisher
  readonly #dropped = new Counters()
  readonly #commands = new CommandDesk()
  readonly #archivist: Archivist
  readonly #outlet: Outlet
  readonly #intake: EnvelopeIntake
  readonly #compaction: Compaction
  readonly #notices: RefusalNotices
  #state: State = 'new'
  #loop: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #inputs = 0
  #appends = 0
  #syncs = 0

  constructor(components: DriverComponents, init: DriverInit) {
    this.#components = components
    this.#init = {
      tickMs: 50,
      idleTickMs: 1000,
      stopMs: 3000,
      senderPerSecond: SENDER_ENVELOPES_PER_SECOND,
      unplug: new Set(),
      ...init
    }
    this.#ticker = new Ticker(components.clock, () => this.#offer({ kind: 'tick' }))
    this.#notices = new RefusalNotices({
      ...components,
      send: (to, message) => this.#outlet.send(to, [message])
    })
    this.door = new Door({
      ...components,
      senderPerSecond: this.#init.senderPerSecond,
      refused: refused => this.#notices.tell(refused),
      accept: (admitted, isLocal) => this.#accept(admitted, isLocal)
    })
    this.#intake = new EnvelopeIntake({
      ...components,
      door: this.door,
      pace: this.pace,
      dropped: this.#dropped
    })
    this.#publisher = new Publisher({
      ...components,
      admit: bytes => this.door.admit(bytes, components.signer.did, 'local'),
      refused: (draft, lamport, refusal) => this.#onRefused(draft, lamport, refusal)
    })
    this.#archivist = new Archivist({
      ...components,
      dropped: this.#dropped,
      archived: thread => this.#offer({ kind: 'archived', thread }),
      send: (to, messages) => this.#outlet.send(to, messages)
    })
    this.#compaction = new Compaction({
      ...components,
      ...(init.compactBytesMin === undefined ? {} : { minBytes: init.compactBytesMin }),
      snapshot: () => this.#snapshot(),
      onFatal: error => this.#fail(error)
    })
    this.#outlet = new Outlet({
      ...components,
      archivist: this.#archivist,
      door: this.door,
      publisher: this.#publisher,
      commands: this.#commands,
      dropped: this.#dropped,
      unplug: this.#init.unplug
    })
  }

  /** Replays the journal into the machine and begins. Rejects with JournalRecordError; the network must be started after it. */
  async start(): Promise<void> {
    if (this.#state !== 'new') return
    this.#state = 'starting'
    const { machine, journal, clock, network } = this.#components
    let count = 0
    for await (const bytes of journal.replay()) this.#restore(bytes, ++count)
    if (this.#state !== 'starting') return
    this.#state = 'running'
    await this.#guard(async () => this.#run(machine.start(clock.nowMs())))
    this.#compaction.run()
    network.setDoor((bytes, from) => this.#judge(bytes, from))
    network.onMessage((from, bytes) => this.#onMessage(from, bytes))
    network.onPeer((did, connected) => this.#onPeer(did, connected))
    for (const peer of network.peers()) this.#onPeer(peer.did, true)
    this.#armTick()
  }

  /** Takes no more inputs, finishes those that wait within `stopMs`, and answers open commands with STOPPED. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Hands a command to the machine; resolves with its reply. Refuses with BUSY or STOPPED. Never rejects. */
  command(command: Command): Promise<Result<unknown>> {
    if (this.#state !== 'running') return Promise.resolve(STOPPED)
    const { id, answer } = this.#commands.open()
    if (!this.#offer({ kind: 'command', id, command })) this.#commands.reply(id, BUSY)
    return answer
  }

  /** Listens to what happens; returns how to stop. A listener that throws is logged and harms nobody else. */
  onEvent(listener: (event: SwarmEvent) => void): () => void {
    return this.#outlet.listen(listener)
  }

  /** Resolves when the inputs that wait now have been stepped and their effects have run, or a little later. */
  async settled(): Promise<void> {
    await this.#loop
  }

  stats(): DriverStats {
    return {
      queued: this.#queue.length,
      inputs: this.#inputs,
      appends: this.#appends,
      syncs: this.#syncs,
      dropped: this.#dropped.toObject(),
      door: this.door.counts()
    }
  }

  #restore(bytes: Uint8Array, number: number): void {
    const record = decodeStored(bytes)
    if (!record.ok) throw new JournalRecordError(number, record.refusal.message)
    if (record.value.type === 'seen') return this.door.restoreWindow(record.value)
    if (record.value.type === 'envelope') this.#rememberAccepted(record.value)
    this.#components.machine.restore(record.value)
  }

  /** Replay protection survives a restart because what was accepted is in the journal. What freshness refuses is skipped. */
  #rememberAccepted(record: { readonly bytes: Uint8Array; readonly atMs: number }): void {
    const forgottenMs = record.atMs + ENVELOPE_LIFE_MS_MAX + 2 * CLOCK_SKEW_MS_MAX
    if (forgottenMs >= this.#components.clock.nowMs()) this.door.restore(record.bytes)
  }

  /** The machine as of now. What the door has seen may be of later: the envelopes of then stand in the journal's tail as well. */
  #snapshot(): Iterable<JournalRecord | SeenRecord> {
    return withWindows(this.#components.machine.snapshot(), this.door.windows())
  }

  async #stop(): Promise<void> {
    this.#ticker.stop()
    if (this.#state === 'running') {
      this.#state = 'stopping'
      const { promise, resolve } = Promise.withResolvers<void>()
      const cancel = this.#components.clock.after(this.#init.stopMs, resolve)
      await Promise.race([this.#drain(), promise])
      cancel()
    }
    if (this.#state !== 'failed') this.#state = 'stopped'
    this.#publisher.stop()
    this.#commands.replyAll(STOPPED)
  }

  /** Own drafts that are being signed may still bring inputs. */
  async #drain(): Promise<void> {
    do {
      await this.#publisher.idle()
      await this.#archivist.idle()
      await this.#compaction.idle()
      await this.#loop
    } while (this.#queue.length > 0 || this.#publisher.isBusy())
  }

  #offer(input: QueuedInput, bytes = 0): boolean {
    if (this.#state !== 'running' && !(this.#state === 'stopping' && isOwnWork(input))) return false
    if (!this.#queue.offer(input, bytes)) {
      this.#dropped.add(`${input.kind}-queue-full`)
      return false
    }
    this.#loop ??= this.#guard(() => this.#work())
    return true
  }

  async #work(): Promise<void> {
    // Inputs of the same turn share a batch.
    await Promise.resolve()
    while (this.#queue.length > 0 && this.#isLive()) {
      const inputs = this.#queue.take(BATCH_INPUTS_MAX)
      const effects: Effect[] = []
      // One by one: a call takes no such number of arguments as one step may have effects.
      for (const input of inputs) for (const effect of this.#step(input)) effects.push(effect)
      await this.#run(effects)
      if (this.#isLive()) this.#compaction.run()
      this.#armTick()
      // More is waiting: let sockets and timers have their turn first.
      if (this.#queue.length > 0) await new Promise<void>(resolve => setImmediate(resolve))
    }
    this.#loop = undefined
  }

  #step(input: QueuedInput): readonly Effect[] {
    this.#inputs++
    if (input.kind === 'tick') this.#ticker.done()
    return this.#components.machine.step({
      ...input,
      nowMs: this.#components.clock.nowMs()
    } as Input)
  }

  /** Persist first, then everything else in order. Appends of a leader are on their way while its disk is at work. */
  async #run(effects: readonly Effect[]): Promise<void> {
    const records: JournalRecord[] = []
    let sync = false
    for (const effect of effects) {
      if (effect.kind !== 'persist') continue
      for (const record of effect.records) records.push(record)
      sync ||= effect.sync
    }
    const { early, rest } = sync ? splitEarly(effects) : { early: [], rest: effects }
    this.#outlet.execute(early)
    if (records.length > 0 || sync) {
      this.#appends++
      if (sync) this.#syncs++
      await this.#components.journal.append(records.map(encodeRecord), { sync })
      for (const record of records) if (record.type === 'envelope') this.door.settle(record.bytes)
    }
    if (!this.#isLive()) return
    this.#outlet.execute(rest)
  }

  #onPeer(did: string, connected: boolean): void {
    this.#notices.onPeer(did, connected)
    this.#offer({ kind: 'peer', did, connected })
  }

  #onMessage(from: string, bytes: Uint8Array): void {
    if (this.#state !== 'running') return
    for (const result of unpackMessages(bytes)) {
      if (result.ok) this.#onUnpacked(from, result.value)
      else this.#drop(result.refusal.code, { from })
    }
  }

  #onUnpacked(from: string, { message, size }: Unpacked): void {
    if (message.type === 'envelopes') return this.#intake.take(from, message.items)
    if (message.type === 'raft' && this.#init.unplug.has('consensus')) return
    this.#offer({ kind: 'message', from, message }, size)
  }

  async #judge(bytes: Uint8Array, from: string): Promise<DoorVerdict> {
    if (this.#state !== 'running' || this.#init.unplug.has('gossip')) return 'ignore'
    return (await this.#intake.admit(bytes, from)).verdict
  }

  /** The door's last stage: the machine gets it, or the queue has no room and it may come again. */
  #accept(admitted: Admitted, isLocal: boolean): DoorVerdict {
    return this.#offer(
      { kind: 'envelope', admitted, local: isLocal },
      isLocal ? 0 : admitted.bytes.length
    )
      ? 'accept'
      : 'ignore'
  }

  #onRefused(draft: Draft, lamport: number, refusal: Refusal): void {
    this.#offer({ kind: 'draft-refused', draft, lamport, refusal })
  }

  #armTick(): void {
    if (this.#state !== 'running') return
    const { tickMs, idleTickMs } = this.#init
    const wantedMs = this.#components.machine.nextTickMs()
    this.#ticker.arm(wantedMs === 0 ? tickMs : Math.min(wantedMs, idleTickMs))
  }

  #isLive(): boolean {
    return this.#state === 'running' || this.#state === 'stopping'
  }

  /** A thrown error here is a bug of the machine or a journal that failed. Neither can be continued. */
  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#fail(error instanceof Error ? error : new SwarmBugError(String(error)))
    }
  }

  #fail(error: Error): void {
    if (this.#state === 'failed') return
    this.#state = 'failed'
    this.#ticker.stop()
    this.#publisher.stop()
    this.#components.logger.error('the driver stops for good', {
      error: error.message,
      stack: error.stack
    })
    this.#commands.replyAll(STOPPED)
    this.#init.onFatal(error)
  }

  #drop(reason: string, details: Readonly<Record<string, unknown>>): void {
    this.#dropped.add(reason)
    this.#components.logger.debug('dropped', { reason, ...details })
  }
}

/** What a node that stops still finishes: drafts that are being signed. */
function isOwnWork(input: QueuedInput): boolean {
  return input.kind === 'draft-refused' || (input.kind === 'envelope' && input.local)
}

const STOPPED = refuse('STOPPED', 'the node is stopping: start it again and repeat the command')
const BUSY = refuse('BUSY', 'the node has too much to do: wait a moment and repeat the command')

/** Something that is no Error was thrown. */
class SwarmBugError extends SwarmError {
  readonly code = 'BUG'
}

function* withWindows(
  records: Iterable<JournalRecord>,
  windows: Iterable<SenderWindow>
): Iterable<JournalRecord | SeenRecord> {
  yield* records
  for (const window of windows) yield { type: 'seen', ...window }
}
