import { assert } from '../base/index.ts'
import {
  countOwnVote,
  electionTick,
  handlePreVote,
  handlePreVoteReply,
  handleTimeoutNow,
  handleVote,
  handleVoteReply,
  isDisturbance,
  startElection,
  startPreVote
} from './election.ts'
import { handleHeartbeat, handleHeartbeatReply, leaderTick } from './heartbeat.ts'
import {
  ENTRY_BYTES_MAX,
  FORWARDED_PER_READY_MAX,
  TERM_JUMP_MAX,
  UNCOMMITTED_ENTRIES_MAX
} from './limits.ts'
import { quiesce, wake } from './quiescence.ts'
import {
  advanceCommit,
  handleAppend,
  handleAppendReply,
  sendAppends,
  urgeSuccessor
} from './replication.ts'
import { restore } from './restore.ts'
import { becomeFollower, type MessageOf, type RaftState, send } from './state.ts'
import type {
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
import { isRaftMessage } from './validate.ts'

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
    const { state } = this
    // [RAFT-1]
    if (!isRaftMessage(message) || message.to !== state.id || !state.peers.includes(message.from))
      return
    // [RAFT-2] [RAFT-10]
    if (message.term > state.term + TERM_JUMP_MAX) return
    wake(state, message.from)
    if (isDisturbance(state, message)) return
    if (message.term < state.term) {
      answerOutdated(state, message)
      return
    }
    if (message.term > state.term && entersTerm(message)) becomeFollower(state, message.term, null)
    if (state.role === 'leader') stepLeader(state, message)
    else stepOther(state, message)
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

  /** Stands for election at once. A member that has seen no term yet has no one to disturb and asks no pre-vote. */
  campaign(): void {
    if (this.state.role === 'leader') return
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
    if (member !== state.id && !state.peers.includes(member)) return 'not-member'
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
    if (state.role === 'leader') sendAppends(state)
    const entries = state.log.takeUnpersisted()
    const committed = state.log.takeCommitted()
    const hardState = this.#takeHardState()
    const { outbox: messages, forwarded } = state
    const count = entries.length + committed.length + messages.length + forwarded.length
    if (hardState === null && count === 0) return null
    state.outbox = []
    state.forwarded = []
    this.#isBatchOut = true
    const mustSync = entries.length > 0 || hardState?.mustSync === true
    return {
      hardState: hardState?.value ?? null,
      mustSync,
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
    return { role, term, leader, commit: log.commit, lastIndex: log.lastIndex, quiescent }
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

/** [RAFT-3] A question about the next term, and a yes to it, do not make it begin. */
function entersTerm(message: RaftMessage): boolean {
  return message.type !== 'pre-vote' && !(message.type === 'pre-vote-reply' && message.granted)
}

/** [RAFT-4] A sender of an earlier term learns ours and steps down; an outdated answer is dropped. */
function answerOutdated(state: RaftState, message: RaftMessage): void {
  const to = message.from
  if (message.type === 'vote') send(state, to, { type: 'vote-reply', granted: false })
  if (message.type === 'pre-vote') send(state, to, { type: 'pre-vote-reply', granted: false })
  if (message.type === 'append' || message.type === 'heartbeat') {
    send(state, to, { type: 'append-reply', success: false, matchIndex: 0, conflictTerm: 0 })
  }
}

function stepLeader(state: RaftState, message: RaftMessage): void {
  const progress = state.progress.get(message.from)
  assert(progress !== undefined, 'a leader keeps the progress of every peer')
  progress.silentTicks = 0
  progress.owesAnswer = false
  if (message.type === 'append-reply') handleAppendReply(state, message)
  if (message.type === 'heartbeat-reply') handleHeartbeatReply(state, message)
  if (message.type === 'vote') handleVote(state, message)
  if (message.type === 'pre-vote') handlePreVote(state, message)
  if (message.type === 'forward') takeForwarded(state, message)
  // Appends and heartbeats of our own term would be of a second leader: there is none, so they are void.
}

/** [RAFT-24] The layer above knows whether and how to propose it. */
function takeForwarded(state: RaftState, message: MessageOf<'forward'>): void {
  if (state.forwarded.length >= FORWARDED_PER_READY_MAX) return
  state.forwarded.push({ from: message.from, data: message.data })
}

function stepOther(state: RaftState, message: RaftMessage): void {
  switch (message.type) {
    case 'append':
      if (follows(state, message.from)) handleAppend(state, message)
      break
    case 'heartbeat':
      if (follows(state, message.from)) handleHeartbeat(state, message)
      break
    case 'vote':
      handleVote(state, message)
      break
    case 'pre-vote':
      handlePreVote(state, message)
      break
    case 'vote-reply':
      handleVoteReply(state, message)
      break
    case 'pre-vote-reply':
      handlePreVoteReply(state, message)
      break
    case 'timeout-now':
      handleTimeoutNow(state, message)
      break
    default:
      break
  }
}

/** [RAFT-11] Recognises the sender as leader of the term. A term has one leader: a second one is not followed. */
function follows(state: RaftState, sender: MemberId): boolean {
  if (state.leader !== null && state.leader !== sender) return false
  if (state.leader === null) becomeFollower(state, state.term, sender)
  state.electionTicks = 0
  return true
}
