import { unreachable } from '../base/index.ts'
import type { Admitted } from '../envelope/index.ts'
import { bidSubjectOf, commitSubjectOf } from '../need/index.ts'
import {
  type PlanChange,
  type PlanEntry,
  type PlanSession,
  type PlanState,
  planEntryOf
} from '../plan/index.ts'
import type { BidSubject, CommitSubject } from '../policy/index.ts'
import type { LogEntry } from '../raft/index.ts'
import type { CertificateFile } from '../roster/index.ts'
import { runCommand } from './commands.ts'
import { Context, type SwarmInit } from './context.ts'
import { dutiesDueAt, runDuties } from './duties.ts'
import { onArchived, pruneTombstones } from './ending.ts'
import type { KeptEvidence } from './evidence-shelf.ts'
import { formAgainLater } from './formation.ts'
import { onEnvelope } from './intake.ts'
import { onMessage, onPeer } from './messages.ts'
import { onPlanSaid } from './planning.ts'
import { restoreRecord, resume } from './restart.ts'
import type { Thread } from './thread.ts'
import type { Tombstone } from './tombstones.ts'
import type {
  Effect,
  Input,
  JournalRecord,
  RecordItem,
  Sighting,
  Stage,
  ThreadView
} from './types.ts'
import { viewOf } from './view.ts'
import { World } from './world.ts'

/**
 * The node's one state machine. Input in, effects out; never throws on input. The same inputs in the same order give the same
 * effects, which is what the simulator and the replayer build on.
 */
export class Swarm {
  readonly #context: Context
  readonly #world: World

  constructor(init: SwarmInit) {
    this.#context = new Context(init)
    this.#world = new World(this.#context, (from, message) => onMessage(this.#world, from, message))
  }

  /** Puts back one record from disk. All records in order, before `start`. */
  restore(record: JournalRecord): void {
    restoreRecord(this.#world, record)
    this.#context.take()
  }

  /** Goes on where the disk left off: groups start again, own unfinished work is taken up. */
  start(nowMs: number): readonly Effect[] {
    this.#context.nowMs = nowMs
    this.#context.steadySince = nowMs
    this.#world.started = true
    for (const thread of this.#world.threads.values()) resume(this.#world, thread)
    this.#world.restored.clear()
    return this.#finish()
  }

  step(input: Input): readonly Effect[] {
    this.#context.nowMs = input.nowMs
    switch (input.kind) {
      case 'tick':
        this.#tick()
        break
      case 'envelope':
        onEnvelope(this.#world, input.admitted, input.local)
        break
      case 'message':
        onMessage(this.#world, input.from, input.message)
        break
      case 'peer':
        onPeer(this.#world, input.did, input.connected)
        break
      case 'command':
        runCommand(this.#world, input.id, input.command)
        break
      case 'draft-refused':
        this.#onDraftRefused(input)
        break
      case 'archived':
        onArchived(this.#world, input.thread)
        break
      default:
        unreachable(input)
    }
    return this.#finish()
  }

  /**
   * Ms until the next tick is wanted: 0 means a tick every `tickMs`, Infinity that nothing waits for a time. A tick that comes later
   * does everything that has become due.
   */
  nextTickMs(): number {
    const { schedule } = this.#world
    if (schedule.isActive()) return 0
    return Math.max(1, schedule.nextAt() - this.#context.nowMs)
  }

  /** Threads that want every tick, and threads that sleep until a time; for metrics. */
  load(): { readonly active: number; readonly waiting: number } {
    return this.#world.schedule.counts()
  }

  view(id: string): ThreadView | undefined {
    const thread = this.#world.threads.get(id)
    return thread === undefined ? undefined : viewOf(this.#context, thread)
  }

  /** Whether the thread is in memory. */
  has(id: string): boolean {
    return this.#world.threads.has(id)
  }

  /** Whether the thread is in memory and over. */
  isEnded(id: string): boolean {
    return this.#world.threads.get(id)?.isEnded() === true
  }

  /** Ids of all threads in memory, newest last. */
  threadIds(): readonly string[] {
    return [...this.#world.threads.keys()]
  }

  /** The newest manifest of each known agent, by DID. */
  manifests(): ReadonlyMap<string, Admitted<'MANIFEST'>> {
    return this.#context.manifests
  }

  /** One admitted envelope of a thread. */
  envelope(thread: string, id: string): Admitted | undefined {
    return this.#world.threads.get(thread)?.envelopes.get(id)?.admitted
  }

  /** The same, and when this node saw it. */
  sighted(thread: string, id: string): Sighting | undefined {
    return this.#world.threads.get(thread)?.envelopes.get(id)
  }

  /** What the bid gate is asked about a proposal; undefined while the log has it not. */
  bidSubject(thread: string, proposal: string): BidSubject | undefined {
    const state = this.#world.threads.get(thread)?.group?.log.state
    return (state && bidSubjectOf(state, proposal)) ?? undefined
  }

  /** What the commit gate is asked about the thread's COMMIT; undefined while the log has it not. */
  commitSubject(thread: string, commit: string): CommitSubject | undefined {
    const state = this.#world.threads.get(thread)?.group?.log.state
    return (state && commitSubjectOf(state, commit)) ?? undefined
  }

  /** Proofs of offences that this node holds, oldest first. */
  evidence(): readonly KeptEvidence[] {
    return [...this.#context.evidence.all()]
  }

  /** What a stranger needs to check the decision or the outcome of a thread; undefined while it has no certificate here. */
  certificate(id: string, stage: Stage): CertificateFile | undefined {
    const thread = this.#world.threads.get(id)
    const certified = stage === 'decide' ? thread?.decide : thread?.end
    if (thread === undefined || certified == null) return undefined
    return { need: thread.need.bytes, envelope: certified.admitted.bytes }
  }

  /** The plan facts of a thread with their sources, for rebuilding its plan document. */
  planChanges(id: string): readonly PlanChange[] {
    return this.#world.threads.get(id)?.plan.changes() ?? []
  }

  /** The plan of a thread, to read at once: the next step may change it. Undefined where the thread is not in memory. */
  plan(id: string): PlanState | undefined {
    return this.#world.threads.get(id)?.plan.read()
  }

  /** Whether the plan of a thread has more than its NEED and proposals say. */
  hasPlanUpdates(id: string): boolean {
    return (this.#world.threads.get(id)?.plan.bytes ?? 0) > 0
  }

  /** Envelopes of a thread that have a place in its plan document, as they are kept here. May be read over several steps: what comes meanwhile is among them. */
  *planEntries(id: string): Iterable<PlanEntry> {
    for (const { admitted } of this.#world.threads.get(id)?.envelopes.values() ?? []) {
      const entry = planEntryOf(id, admitted)
      if (entry !== null) yield entry
    }
  }

  /** The two updates by which a sender forked its session, complete; none where it is not forked here. */
  planFork(id: string, { sender, session }: PlanSession): readonly Uint8Array[] {
    const thread = this.#world.threads.get(id)
    const rivals = thread?.plan.open().rivals(sender, session) ?? []
    return rivals.flatMap(one => thread?.envelopes.get(one)?.admitted.bytes ?? [])
  }

  /**
   * The record of a thread in replay order: NEED, FORMs, the log of the last epoch, the certified envelopes (R19). `complete` once the whole
   * log up to the certified outcome is here.
   */
  record(
    id: string
  ): { readonly items: readonly RecordItem[]; readonly complete: boolean } | undefined {
    const thread = this.#world.threads.get(id)
    return thread === undefined
      ? undefined
      : { items: recordOf(thread), complete: thread.isComplete() }
  }

  /** Every envelope of a thread, in the order in which this node saw it; nothing when the thread is not in memory. */
  seen(id: string): Iterable<Sighting> {
    return this.#world.threads.get(id)?.envelopes.values() ?? []
  }

  /** The log of the thread's group as far as it is here: a list that grows, and another one when it is learnt anew. */
  log(id: string):
    | {
        /** Id of the group's FORM. */
        readonly form: string
        readonly entries: readonly LogEntry[]
        readonly complete: boolean
      }
    | undefined {
    const thread = this.#world.threads.get(id)
    if (thread === undefined || thread.group === null) return undefined
    const { form, entries } = thread.group
    return { form: form.id, entries, complete: thread.isComplete() }
  }

  /** How a thread ended that is in memory no more, or undefined. */
  tombstone(id: string): Tombstone | undefined {
    return this.#context.tombstones.get(id)
  }

  /** Ended threads that are in memory no more; their tombstones go after a while. */
  tombstoneCount(): number {
    return this.#context.tombstones.size
  }

  /**
   * Records that make up a journal with the same meaning as all that were persisted or restored so far: restoring either comes to the same.
   * What later records have made void is left out, and threads that have a tombstone (R20). It is of now, however late it is read: a
   * node with many threads reads it in parts, and takes inputs in between. Only references are gathered here.
   */
  snapshot(): Iterable<JournalRecord> {
    const context = this.#context
    return recordsOf({
      lamport: context.lamport(),
      image: context.image.records(this.#world.threads.keys()),
      evidence: this.evidence(),
      tombstones: context.tombstones.all()
    })
  }

  /** Everything that was touched in this step is given its next time. */
  #finish(): readonly Effect[] {
    const world = this.#world
    const { schedule } = world
    schedule.settle(this.#context.nowMs, thread => dutiesDueAt(world, thread))
    this.#context.expectedAt = schedule.isActive() ? this.#context.nowMs : schedule.nextAt()
    return this.#context.take()
  }

  #tick(): void {
    const world = this.#world
    const due = world.schedule.take(this.#context.nowMs)
    for (const thread of this.threadsOfTick(due, world.threads.values())) runDuties(world, thread)
    world.early.prune(this.#context.nowMs)
    pruneTombstones(world)
  }

  /** Open to subclasses for one purpose: a test looks at all threads in every tick, and finds that it makes no difference. */
  protected threadsOfTick<T>(due: readonly T[], _all: Iterable<T>): Iterable<T> {
    return due
  }

  #onDraftRefused(input: Extract<Input, { kind: 'draft-refused' }>): void {
    const context = this.#context
    const waiting = context.waiting.get(input.lamport)
    context.waiting.delete(input.lamport)
    if (input.draft.verb === 'UPDATE_PLAN')
      this.#world.withThread(String(input.draft.thread), thread =>
        onPlanSaid(context, thread, input.lamport)
      )
    if (waiting !== undefined) return context.refuseCommand(waiting, input.refusal)
    if (input.draft.verb === 'FORM')
      this.#world.withThread(String(input.draft.thread), thread => {
        if (thread.formation !== null) formAgainLater(context, thread.formation)
      })
    context.warn(
      input.draft.thread?.toString() ?? null,
      `own ${input.draft.verb} was refused: ${input.refusal.message}`
    )
  }
}

function* recordsOf(held: {
  readonly lamport: number
  readonly image: Iterable<JournalRecord>
  readonly evidence: readonly KeptEvidence[]
  readonly tombstones: Iterable<Tombstone>
}): Iterable<JournalRecord> {
  yield { type: 'clock', lamport: held.lamport }
  yield* held.image
  for (const { bytes } of held.evidence) yield { type: 'evidence', bytes }
  for (const tombstone of held.tombstones) yield { type: 'tombstone', ...tombstone }
}

function recordOf(thread: Thread): RecordItem[] {
  const itemOf = ({ id, bytes }: Admitted): RecordItem => ({
    type: 'envelope',
    bytes,
    atMs: thread.envelopes.get(id)?.seenAt ?? 0
  })
  const items: RecordItem[] = [itemOf(thread.need)]
  if (thread.group !== null) {
    for (const form of thread.forms()) items.push(itemOf(form))
    const last = thread.end?.outcome.index ?? Number.MAX_SAFE_INTEGER
    for (const entry of thread.group.entries) {
      if (entry.index <= last) items.push({ type: 'entry', entry })
    }
  }
  if (thread.decide !== null) items.push(itemOf(thread.decide.admitted))
  if (thread.end !== null) items.push(itemOf(thread.end.admitted))
  return items
}
