import { assert } from '../base/index.ts'
import { isVoter } from './configuration.ts'
import { countOwnVote, electionTick, startElection, startPreVote } from './election.ts'
import { leaderTick } from './heartbeat.ts'
import { ENTRY_BYTES_MAX, UNCOMMITTED_ENTRIES_MAX } from './limits.ts'
import {
  changeMembers,
  leaveJoint,
  type MembersTarget,
  mayStand,
  retireIfRemoved
} from './membership.ts'
import { quiesce, wake } from './quiescence.ts'
import { advanceCommit, sendAppends, urgeSuccessor } from './replication.ts'
import { restore } from './restore.ts'
import { compact } from './snapshot.ts'
import { type RaftState, send } from './state.ts'
import { step } from './step.ts'
import type {
  ChangeRefusal,
  Configuration,
  ForwardRefusal,
  HardState,
  LogEntry,
  LogIndex,
  MemberId,
  ProposalRefusal,
  RaftInit,
  RaftMessage,
  RaftStatus,
  Ready,
  TransferRefusal
} from './types.ts'

/** One member of one group. The duties of its caller are in the doc comment of this room. */
export class Raft {
  /** Open to subclasses for one purpose: tests plant faults in it to see that the checkers find them. */
  protected readonly state: RaftState
  /** Term, vote and commit as given out last: what is on disk once that batch is written. */
  #hardState: HardState
  #isBatchOut = false

  /** Throws RaftRestoreError when `init.restored` is no member's state. */
  constructor(init: RaftInit) {
    this.state = restore(init)
    this.#hardState = init.restored?.hardState ?? { term: 0, vote: null, commit: 0 }
  }

  /** One unit of time has passed. */
  tick(): void {
    if (this.state.isQuiescent) return
    if (this.state.role === 'leader') leaderTick(this.state)
    else electionTick(this.state)
  }

  /** Takes a message that the transport has shown to come from `message.from`. Anything that is not in order is ignored; never throws. */
  step(message: RaftMessage): void {
    step(this.state, message)
  }

  /** Appends data to the log of the leader. Null: taken; it is decided when it comes back in `Ready.committed`. */
  propose(data: Uint8Array): ProposalRefusal | null {
    const { state } = this
    assert(data.length <= ENTRY_BYTES_MAX, 'an entry is within ENTRY_BYTES_MAX')
    if (state.role !== 'leader') return 'not-leader'
    if (state.transfer !== null) return 'transferring'
    if (state.log.lastIndex - state.log.commit >= UNCOMMITTED_ENTRIES_MAX)
      return 'too-many-in-flight'
    wake(state, null)
    state.log.append(state.term, data)
    return null
  }

  /** Asks the leader to propose `data`: it comes out there in `Ready.forwarded`, at most once, and may get lost. Null: sent. */
  forward(data: Uint8Array): ForwardRefusal | null {
    const { state } = this
    assert(data.length <= ENTRY_BYTES_MAX, 'an entry is within ENTRY_BYTES_MAX')
    if (state.role === 'leader') return 'leads'
    if (state.leader === null) return 'no-leader'
    wake(state, state.leader)
    send(state, state.leader, { type: 'forward', data })
    return null
  }

  /**
   * Changes the members: to these voters, by joint consensus, and to these learners. Null: begun; it is over when `configuration` has no
   * outgoing voters and its entry is committed. A new voter must have been a learner before.
   */
  changeMembers(target: MembersTarget): ChangeRefusal | null {
    const refusal = changeMembers(this.state, target)
    if (refusal === null) wake(this.state, null)
    return refusal
  }

  /** Who takes part, by the latest entry in this member's log that says so, committed or not. */
  configuration(): Configuration {
    return this.state.configuration
  }

  /** `data` is the applied state after the entry at `index`: the log forgets everything up to there. What is kept behind it spares others a snapshot. */
  compact(index: LogIndex, data: Uint8Array): void {
    compact(this.state, index, data)
  }

  /** Stands for election at once. A member that has seen no term yet has no one to disturb and asks no pre-vote. */
  campaign(): void {
    if (this.state.role === 'leader' || !mayStand(this.state)) return
    wake(this.state, null)
    if (this.state.term === 0) startElection(this.state, { transfer: false })
    else startPreVote(this.state)
  }

  /**
   * Hands leadership to `member`: no proposals are taken until it happened or electionTicksMin ticks have passed.
   * Null: under way. To hand over to oneself is to call off a transfer.
   */
  transferTo(member: MemberId): TransferRefusal | null {
    const { state } = this
    if (state.role !== 'leader') return 'not-leader'
    if (member !== state.id && !isVoter(state.configuration, member)) return 'not-member'
    wake(state, null)
    state.transfer = member === state.id ? null : { to: member, ticks: 0, isSent: false }
    urgeSuccessor(state)
    return null
  }

  /**
   * Puts the group to sleep: no ticks, no heartbeats, until any member proposes, campaigns, is woken, or gets a message. True: this
   * leader is quiet and the others are told. False: there is work left; ask again when answers came in.
   */
  quiesce(): boolean {
    return quiesce(this.state)
  }

  /** Ends quiescence here: a leader says that it lives, a follower asks it to, and stands for election if it hears nothing. */
  wake(): void {
    wake(this.state, null)
  }

  /** The next batch of work; null when there is none, or the last one was not advanced. */
  ready(): Ready | null {
    if (this.#isBatchOut) return null
    const { state } = this
    if (state.role === 'leader') {
      leaveJoint(state)
      sendAppends(state)
      retireIfRemoved(state)
    }
    const snapshot = state.isSnapshotNew ? state.snapshot : null
    const entries = state.log.takeUnpersisted()
    const committed = state.log.takeCommitted()
    const hardState = this.#takeHardState()
    const { outbox: messages, forwarded } = state
    const count = entries.length + committed.length + messages.length + forwarded.length
    if (hardState === null && snapshot === null && count === 0) return null
    state.isSnapshotNew = false
    state.outbox = []
    state.forwarded = []
    this.#isBatchOut = true
    const mustSync = entries.length > 0 || snapshot !== null || hardState?.mustSync === true
    return {
      hardState: hardState?.value ?? null,
      mustSync,
      snapshot,
      entries,
      messages,
      committed,
      forwarded
    }
  }

  /** The batch of the last `ready` is persisted and its messages are on their way. */
  advance(): void {
    assert(this.#isBatchOut, 'advance follows ready')
    this.#isBatchOut = false
    const { state } = this
    state.log.batchWritten()
    const { term, vote } = this.#hardState
    if (term === state.term && vote === state.id) countOwnVote(state)
    if (state.role === 'leader') advanceCommit(state)
  }

  status(): RaftStatus {
    const { role, term, leader, log, isQuiescent: quiescent } = this.state
    const { commit, lastIndex } = log
    return { role, term, leader, commit, firstIndex: log.baseIndex + 1, lastIndex, quiescent }
  }

  /** Entries `from` to `to`, both included, committed or not, as far as the log has them. */
  entries(from: LogIndex, to: LogIndex): readonly LogEntry[] {
    return this.state.log.slice(from, to)
  }

  #takeHardState(): { value: HardState; mustSync: boolean } | null {
    const last = this.#hardState
    const { term, vote, log } = this.state
    const mustSync = term !== last.term || vote !== last.vote
    if (!mustSync && log.commit === last.commit) return null
    this.#hardState = { term, vote, commit: log.commit }
    return { value: this.#hardState, mustSync }
  }
}
