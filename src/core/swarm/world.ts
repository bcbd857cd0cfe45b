import { type Admitted, AuthorRate } from '../envelope/index.ts'
import type { LogEntry } from '../raft/index.ts'
import { groupIdOf } from '../roster/index.ts'
import type { Context } from './context.ts'
import { EarlyArrivals } from './early.ts'
import { Interval } from './interval.ts'
import type { RestoredRaft } from './member.ts'
import { HeldBytes } from './room.ts'
import { Schedule } from './schedule.ts'
import type { Thread } from './thread.ts'
import type { PeerMessage } from './types.ts'

/** Raft state of one group as read from disk. */
type Restoring = { hardState: RestoredRaft['hardState']; entries: LogEntry[] }

/** Between two hellos of one peer, in ms: each leads to a pull for every thread, and peers say it once a connection. */
const GREETINGS_MS = 200

/** Archived threads that one peer may ask for at once, and then per second: each is read from disk. Above what a hello names as ended. */
const RECALLS_BURST = 128
const RECALLS_PER_SECOND = 4

/** All that one node knows: what the parts of the machine work on. */
export class World {
  readonly context: Context
  /** By thread id, oldest first. To look at all of them, or at one without consequences; see `thread`. */
  readonly threads = new Map<string, Thread>()
  /** Threads with a group, by the id of that group and of those of earlier epochs; see `threadOf`. */
  readonly groups = new Map<string, Thread>()
  /** Which threads a tick looks at. */
  readonly schedule = new Schedule<Thread>()
  readonly early = new EarlyArrivals()
  readonly greetings = new Interval(GREETINGS_MS)
  /** Pulls of archived threads, by peer. */
  readonly #recalls = new AuthorRate({ perSecond: RECALLS_PER_SECOND, burst: RECALLS_BURST })
  readonly bytes = new HeldBytes()
  /** When tombstones were last looked through. */
  prunedAt = 0
  readonly restored = new Map<string, Restoring>()
  /** False while records are being restored: nothing is started or sent then. */
  started = false
  /** Takes a message that had come too early as if it came now. */
  readonly deliver: (from: string, message: PeerMessage) => void

  constructor(context: Context, deliver: (from: string, message: PeerMessage) => void) {
    this.context = context
    this.deliver = deliver
  }

  /** Takes in a new thread. */
  open(thread: Thread): void {
    this.threads.set(thread.id, thread)
    this.schedule.add(thread)
    this.context.openThreads.add(thread)
  }

  /** Lets go of a thread and all that refers to it. */
  forget(thread: Thread): void {
    this.threads.delete(thread.id)
    const { sender } = thread.need.envelope
    this.bytes.add(sender, thread.plan.othersBytes - thread.bytes)
    this.bytes.addPlan(sender, -thread.plan.othersBytes)
    for (const form of thread.forms()) this.groups.delete(groupIdOf(form.bytes))
    this.schedule.remove(thread)
    this.context.openThreads.remove(thread)
  }

  /** An envelope has been filed. */
  count(thread: Thread, { envelope, bytes }: Admitted): void {
    const requester = thread.need.envelope.sender
    if (envelope.verb !== 'UPDATE_PLAN' || envelope.sender === requester)
      return this.bytes.add(requester, bytes.length)
    thread.plan.othersBytes += bytes.length
    this.bytes.addPlan(requester, bytes.length)
  }

  /** The thread, which counts as touched: something is about to happen to it. */
  thread(id: string): Thread | undefined {
    const thread = this.threads.get(id)
    if (thread !== undefined) this.schedule.touch(thread)
    return thread
  }

  /** The thread of a group, which counts as touched. */
  threadOf(group: string): Thread | undefined {
    const thread = this.groups.get(group)
    if (thread !== undefined) this.schedule.touch(thread)
    return thread
  }

  /** Whether the peer may have one more archived thread read. */
  mayRecall(peer: string): boolean {
    const { nowMs } = this.context
    if (!this.#recalls.check(peer, nowMs).ok) return false
    this.#recalls.spend(peer, nowMs)
    return true
  }

  /** Delivers what waited for a thread or a group. */
  release(key: string): void {
    for (const { from, message } of this.early.messages(key)) this.deliver(from, message)
  }

  withThread(id: string, run: (thread: Thread) => void): void {
    const thread = this.thread(id)
    if (thread !== undefined) run(thread)
  }

  observeThread(thread: Thread): void {
    this.context.observe({
      type: 'thread',
      thread: thread.id,
      phase: thread.phase(),
      atMs: this.context.nowMs
    })
  }

  observeEnd(thread: Thread): void {
    this.context.observe({
      type: 'ended',
      thread: thread.id,
      phase: thread.phase(),
      atMs: this.context.nowMs
    })
  }
}
