import { assert, ENTRIES_PER_THREAD_MAX } from '../base/index.ts'
import { idOf } from '../codec/index.ts'
import type { Admitted, Decision } from '../envelope/index.ts'
import { decodeEntry, encodeEntry, followsOn, hasEffect, isPointless } from '../need/index.ts'
import {
  APPEND_BYTES_MAX,
  INFLIGHT_APPENDS_MAX,
  type LogEntry,
  quorumSize,
  Raft,
  type RaftMessage
} from '../raft/index.ts'
import { quorumOf } from '../roster/index.ts'
import type { Context } from './context.ts'
import { cutOffBy, disputesIn, heldUntil, judgedBefore, Omissions } from './omission.ts'
import { bytesOf, isWithinRoom, LOG_BYTES_MAX } from './room.ts'
import type { Group, Thread } from './thread.ts'
import type { JournalRecord } from './types.ts'

/** What was on disk of a group's Raft. */
export type RestoredRaft = NonNullable<ConstructorParameters<typeof Raft>[0]['restored']>

export type MemberInit = {
  readonly context: Context
  readonly thread: Thread
  readonly group: Group
  readonly restored: RestoredRaft | null
  readonly onCommitted: (entries: readonly LogEntry[]) => void
  /** As follower: entries of the leader's own term, on disk with this step, decide this once they are committed. */
  readonly onForeseen: (decision: Decision) => void
}

type Append = Extract<RaftMessage, { type: 'append' }>

/** Highest position that a member takes: what a leader stops at, and room for the ticks and terms that bring the thread to its end. */
export const LOG_INDEX_MAX: number = ENTRIES_PER_THREAD_MAX + 1024

/** Ticks without a new entry after which a leader sends its group to sleep: what follows on an entry often comes at once. */
const IDLE_TICKS = 4

/** Messages by which a member leads, or comes to. */
const LEADS_BY: ReadonlySet<string> = new Set(['append', 'heartbeat', 'pre-vote', 'vote'])

/** What a follower has offered; a leader of a new term makes a set of its own. */
const NOTHING = new Set<string>()

/** Append messages held back until their envelopes have passed the door, and their bytes: what an honest leader has on its way at once. */
const STASH_MAX = 64
const STASH_BYTES_MAX: number = INFLIGHT_APPENDS_MAX * APPEND_BYTES_MAX

/**
 * This node as a member of one group: feeds Raft, stamps log time as leader, and refuses as follower what it has not admitted itself.
 */
export class Member {
  readonly raft: Raft
  readonly #context: Context
  readonly #thread: Thread
  readonly #group: Group
  readonly #onCommitted: (entries: readonly LogEntry[]) => void
  readonly #onForeseen: (decision: Decision) => void
  readonly #stash: Append[] = []
  /** Held appends whose stamps have been looked at: decoding them all with every envelope that comes is what that would cost. */
  #timely: WeakSet<Append> | null = null
  /** As leader: ids that are in the log, committed or not, and the last stamp used. Rebuilt for each term. */
  #offered: Set<string> = NOTHING
  #offeredBytes = 0
  #offeredTerm = 0
  #lastStamp = 0
  #pumping = false
  /** As leader: ticks without a new entry, and the log's last index then. */
  #idleTicks = 0
  #restedIndex = 0
  /** As leader: how far log time is kept behind the clock, ms, so that what came in time for a dispute is in time in the log. Anew in each term. */
  #lagMs = 0
  /** As leader: the last index of the log when the term began. */
  #beganAt = 0
  /** A leader whose clock is ahead, or that leaves something out, and for how many more ticks its signs of life are not heard. */
  #unheard: { readonly leader: string; readonly why: 'ahead' | 'omits'; ticks: number } | null =
    null
  readonly omissions: Omissions = new Omissions()

  constructor(init: MemberInit) {
    this.#context = init.context
    this.#thread = init.thread
    this.#group = init.group
    this.#onCommitted = init.onCommitted
    this.#onForeseen = init.onForeseen
    this.raft = new Raft({
      id: init.context.did,
      members: init.group.form.envelope.payload.roster,
      electionTicksMin: init.context.settings.electionTicksMin,
      heartbeatTicks: init.context.settings.heartbeatTicks,
      random: init.context.random,
      ...(init.restored === null ? {} : { restored: init.restored })
    })
  }

  /** The roster's first member stands at once in a fresh group, so that nobody waits for an election timeout. */
  begin(): void {
    const first = this.#group.form.envelope.payload.roster[0]
    if (first === this.#context.did && this.raft.status().lastIndex === 0) this.raft.campaign()
    this.pump()
  }

  /** A quiet member wakes when a deadline has come: the leader logs a tick, and the others see whether it does. */
  tick(): void {
    if (this.#unheard !== null && --this.#unheard.ticks <= 0) this.#unheard = null
    if (this.isQuiet() && this.#context.nowMs >= this.#deadline()) this.raft.wake()
    this.raft.tick()
    this.pump()
    this.#restIfIdle()
  }

  /** When `tick` has something to do: at every tick, or for a quiet member at the next deadline of the log. */
  dueAt(): number {
    return this.isQuiet() ? this.#deadline() : 0
  }

  leads(): boolean {
    return this.raft.status().role === 'leader'
  }

  /** Asks the leader to log envelopes that it may not have heard of. */
  forward(envelopes: readonly Uint8Array[]): void {
    for (const bytes of envelopes) this.raft.forward(bytes)
    this.pump()
  }

  /** Its group sleeps, and so does it. */
  isQuiet(): boolean {
    return this.#unheard === null && this.raft.status().quiescent
  }

  /** The next time at which the log needs a tick. After the outcome nothing does. */
  #deadline(): number {
    return this.#group.log.nextDeadline() ?? Number.POSITIVE_INFINITY
  }

  /** As leader: sends the group to sleep when it has had nothing to do for a moment. */
  #restIfIdle(): void {
    const { role, lastIndex, quiescent } = this.raft.status()
    const isIdle = role === 'leader' && !quiescent && lastIndex === this.#restedIndex
    this.#idleTicks = isIdle ? this.#idleTicks + 1 : 0
    this.#restedIndex = lastIndex
    if (this.#idleTicks < IDLE_TICKS || this.#context.nowMs >= this.#deadline()) return
    if (this.raft.quiesce()) this.#idleTicks = 0
    this.pump()
  }

  receive(message: RaftMessage): void {
    if (isForeign(message) || this.#isShunned(message)) return
    if (message.type === 'append' && !this.#mayAccept(message)) return
    if (this.#isUnheard(message)) return
    this.raft.step(message)
    this.pump()
  }

  /** An envelope of the thread was admitted: offer it as leader, and retry what waited for it. */
  onAdmitted(): void {
    const held = this.#stash.splice(0)
    if (held.length === 0) this.#timely = null
    // What is left of an earlier leader is void.
    for (const message of held) if (message.term >= this.raft.status().term) this.receive(message)
    this.pump()
  }

  /**
   * An append is taken only when every envelope in it has passed this node's own door (R4) and no stamp is ahead of its
   * clock by more than the precision (R14). What is missing is sent through the door; the message waits.
   */
  #mayAccept(message: Append): boolean {
    if (!Array.isArray(message.entries)) return false
    if (!this.#isTimely(message)) return false
    if ((message.entries.at(-1)?.index ?? 0) > LOG_INDEX_MAX || !this.#hasRoomFor(message))
      return false
    const found = this.#thread.admitMissing(this.#context, message.entries, message.from)
    if (found === 'missing') this.#hold(message)
    if (found === 'foreign')
      this.#thread.warn(this.#context, `${message.from} logs what does not belong into this log`)
    return found === 'complete' && !this.#cutsOff(message)
  }

  /** Whether it would end the challenge window, or the disputes, over something that came in time and is not logged. */
  #cutsOff({ from, term, previousIndex, entries }: Append): boolean {
    const { term: known, lastIndex } = this.raft.status()
    if (term < known || previousIndex > lastIndex) return false
    const first = this.#group.entries.length + 1
    const next = [...this.raft.entries(first, previousIndex), ...entries]
    const missed = cutOffBy(
      this.#context,
      this.#thread,
      next.filter(({ index }) => index >= first)
    )
    if (missed !== null) this.shun(from, missed)
    return missed !== null
  }

  /** The leader leaves this out: it is not heard for some election timeouts, so that a majority that finds so replaces it. */
  shun(leader: string, { id, bytes, envelope }: Admitted): void {
    this.#thread.warn(this.#context, `the leader ${leader} leaves out the ${envelope.verb} ${id}`)
    this.raft.forward(bytes)
    this.raft.wake()
    this.#unheard = { leader, why: 'omits', ticks: this.#unheardTicks() }
    this.pump()
  }

  #unheardTicks(): number {
    return 3 * this.#context.settings.electionTicksMin
  }

  #isTimely(message: Append): boolean {
    if (this.#timely?.has(message) === true) return true
    const latest = this.#context.nowMs + this.#group.form.envelope.payload.precisionMs
    if (message.entries.every(entry => (decodeEntry(entry.data)?.stamp ?? 0) <= latest)) return true
    this.#thread.warn(
      this.#context,
      `the leader ${message.from} stamps entries ahead of this node's clock`
    )
    this.#unheard = { leader: message.from, why: 'ahead', ticks: this.#unheardTicks() }
    return false
  }

  #hasRoomFor({ previousIndex, entries }: Append): boolean {
    const first = this.#group.entries.length + 1
    const waiting = this.raft.entries(first, previousIndex)
    const fresh = entries.filter(entry => entry.index >= first)
    return isWithinRoom(this.#group.bytes, [...waiting, ...fresh])
  }

  #hold(message: Append): void {
    const held = this.#stash.reduce((sum, { entries }) => sum + bytesOf(entries), 0)
    if (this.#stash.length >= STASH_MAX || held + bytesOf(message.entries) > STASH_BYTES_MAX) return
    this.#stash.push(message)
    this.#timely ??= new WeakSet()
    this.#timely.add(message)
  }

  /**
   * A leader whose stamps are refused must not keep its place by heartbeats alone: unheard for some election timeouts, it is
   * replaced when a majority finds so. A member whose own clock is behind hears it again after that.
   */
  #isUnheard(message: RaftMessage): boolean {
    if (this.#unheard === null || message.from !== this.#unheard.leader) return false
    if (message.type === 'append' && message.entries.length > 0) {
      this.#unheard = null
      return false
    }
    return message.type === 'append' || message.type === 'heartbeat'
  }

  /** Nor do entries help a leader that leaves something out, nor another candidacy. */
  #isShunned({ type, from }: RaftMessage): boolean {
    if (this.#unheard?.why !== 'omits' || from !== this.#unheard.leader) return false
    return LEADS_BY.has(type)
  }

  /** Persist, send, apply, for as long as there is something to do; then offer new work as leader. */
  pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    do this.#drain()
    while (this.#offer())
    this.#pumping = false
  }

  #drain(): void {
    for (let ready = this.raft.ready(); ready !== null; ready = this.raft.ready()) {
      const group = this.#group.id
      const records: JournalRecord[] = []
      if (ready.entries.length > 0) records.push({ type: 'entries', group, entries: ready.entries })
      if (ready.hardState !== null)
        records.push({ type: 'hard-state', group, state: ready.hardState })
      for (const record of records) this.#context.persist(record, { sync: ready.mustSync })
      for (const message of ready.messages)
        this.#context.send(message.to, { type: 'raft', group, message })
      if (ready.committed.length > 0) this.#onCommitted(ready.committed)
      if (ready.entries.length > 0) this.#foresee()
      for (const { from, data } of ready.forwarded) this.#takeForwarded(from, data)
      this.raft.advance()
    }
  }

  /**
   * A follower need not wait for the commit before it votes (docs/decisions/0016). Only for an entry of the current term: a majority that holds
   * one has committed it, whoever knows of that (RAFT-15), and no entry of that term came from anybody but its leader. And only where the majority
   * that may lose the entry, none of it locked, is a quorum that can decide anew.
   */
  #foresee(): void {
    const { role, term, lastIndex } = this.raft.status()
    if (role !== 'follower' || this.#thread.member !== this) return
    const { roster } = this.#group.form.envelope.payload
    if (quorumSize(roster.length) < quorumOf(roster.length)) return
    const { log, entries } = this.#group
    const foreseen = log.foresee(this.raft.entries(entries.length + 1, lastIndex))
    if (foreseen?.entry.term === term) this.#onForeseen(foreseen.decision)
  }

  /** What a member asks to have logged goes through the door like anything else (R4), and is offered when it comes out. */
  #takeForwarded(from: string, bytes: Uint8Array): void {
    const id = idOf(bytes)
    if (this.#thread.envelopes.has(id)) return
    // Its bidder may have said something else here with the same clock value, which keeps it out as a peer's word; the seals have named this one.
    const isCarried = id === this.#group.log.state.carried?.proposal
    this.#context.admit(bytes, from, isCarried ? 'log' : 'peer')
  }

  /** As leader: proposes admitted envelopes that are not in the log, and a tick when a deadline has passed. */
  #offer(): boolean {
    const status = this.raft.status()
    if (status.role !== 'leader' || this.#group.log.state.outcome !== null) return false
    if (status.term !== this.#offeredTerm) this.#rebuildOffered(status.term, status.lastIndex)
    if (!this.#isInTime()) return false
    let proposed = false
    const full = status.lastIndex >= ENTRIES_PER_THREAD_MAX || this.#offeredBytes >= LOG_BYTES_MAX
    for (const admitted of full ? [] : this.#thread.loggable()) {
      if (this.#offered.has(admitted.id) || admitted.envelope.notAfter <= this.#context.nowMs)
        continue
      if (isPointless(this.#group.log.state, admitted)) continue
      const first = followsOn(admitted)
      if (first !== null && !this.#offered.has(first)) continue
      if (!this.#propose(admitted.bytes)) return proposed
      this.#offered.add(admitted.id)
      proposed = true
    }
    const deadline = this.#group.log.nextDeadline()
    const due =
      deadline !== null && this.#logNow() >= deadline && this.#lastStamp < Math.max(deadline, 1)
    return (due && this.#propose(null)) || proposed
  }

  #propose(envelope: Uint8Array | null): boolean {
    const stamp = Math.max(this.#logNow(), this.#lastStamp + 1)
    const data = encodeEntry({ stamp, envelope })
    if (this.raft.propose(data) !== null) return false
    this.#lastStamp = stamp
    this.#offeredBytes += data.length
    return true
  }

  #logNow(): number {
    return this.#context.nowMs - this.#lagMs
  }

  /**
   * Before anything of this term gets a stamp, log time is set for what it must be in time for; false while what an earlier leader left uncommitted
   * has to come first, since that may have opened the window.
   */
  #isInTime(): boolean {
    const disputed = disputesIn(this.#thread).filter(({ id }) => !this.#offered.has(id))
    if (disputed.length > 0 && this.#group.entries.length < this.#beganAt) return false
    for (const admitted of disputed) this.#lagBehind(admitted)
    return true
  }

  /** What came here in time for a dispute, while another leader left it out or was being replaced, is logged in time. */
  #lagBehind(admitted: Admitted): void {
    const { nowMs } = this.#context
    const before = judgedBefore(this.#group.log.state, admitted)
    if (before === null || this.#logNow() < before || this.#lastStamp + 1 >= before) return
    const seenAt = this.#thread.envelopes.get(admitted.id)?.seenAt ?? nowMs
    const isLate =
      seenAt >= before || nowMs >= heldUntil(this.#context, this.#thread, this.#group.log.state)
    if (isLate || !hasEffect(this.#group.log.state, admitted)) return
    // Each envelope that waits takes a stamp of its own.
    this.#lagMs = nowMs - before + this.#thread.unlogged.size
  }

  #rebuildOffered(term: number, lastIndex: number): void {
    this.#offeredTerm = term
    this.#lagMs = 0
    this.#beganAt = lastIndex
    this.#offered = new Set(this.#group.log.state.logged)
    this.#lastStamp = this.#group.log.state.at.stamp
    const from = this.#group.entries.length + 1
    assert(from <= lastIndex + 1, 'what is applied is in the log')
    const rest = this.raft.entries(from, lastIndex)
    this.#offeredBytes = this.#group.bytes + bytesOf(rest)
    for (const entry of rest) {
      const body = decodeEntry(entry.data)
      if (body === null) continue
      this.#lastStamp = Math.max(this.#lastStamp, body.stamp)
      if (body.envelope !== null) this.#offered.add(idOf(body.envelope))
    }
  }
}

/**
 * What no group of a thread says, whatever codec it came through: its log is not compacted, its members are those of FORM, and its leader hands over to
 * nobody. A snapshot would replace what a member applied, and another configuration its group, by what the sender says; a vote that says that the leader
 * wants it is heard at any time, and deposes it.
 */
function isForeign(message: RaftMessage): boolean {
  if (message.type === 'snapshot' || message.type === 'timeout-now') return true
  if (message.type === 'vote' || message.type === 'pre-vote') return message.transfer !== false
  return (
    message.type === 'append' &&
    Array.isArray(message.entries) &&
    message.entries.some(({ configuration }) => configuration !== undefined)
  )
}
