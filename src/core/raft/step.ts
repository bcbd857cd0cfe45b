import { isSameConfiguration } from './configuration.ts'
import {
  handlePreVote,
  handlePreVoteReply,
  handleTimeoutNow,
  handleVote,
  handleVoteReply,
  isDisturbance
} from './election.ts'
import { handleHeartbeat, handleHeartbeatReply } from './heartbeat.ts'
import { FORWARDED_PER_READY_MAX, TERM_JUMP_MAX } from './limits.ts'
import { wake } from './quiescence.ts'
import { handleAppend, handleAppendReply } from './replication.ts'
import { handleSnapshot } from './snapshot.ts'
import { becomeFollower, type MessageOf, type RaftState, send } from './state.ts'
import type { MemberId, RaftMessage } from './types.ts'
import { isRaftMessage } from './validate.ts'

/** Takes a message that the transport has shown to come from `message.from`. Anything that is not in order is ignored. */
export function step(state: RaftState, message: RaftMessage): void {
  // [RAFT-1]
  if (!isRaftMessage(message) || message.to !== state.id || !isHeard(state, message)) return
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

/**
 * Section 6: members that are not in one's own configuration are heard, since theirs may be newer. In a group whose members never change they are not, and
 * nothing in the log can change them.
 */
function isHeard(state: RaftState, message: RaftMessage): boolean {
  if (state.changesMembers) return message.from !== state.id
  if (!state.peers.includes(message.from)) return false
  if (message.type === 'append')
    return !message.entries.some(entry => entry.configuration !== undefined)
  if (message.type !== 'snapshot') return true
  return isSameConfiguration(message.snapshot.configuration, state.configuration)
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
  const { type } = message
  if (type === 'append' || type === 'heartbeat' || type === 'snapshot') {
    send(state, to, { type: 'append-reply', success: false, matchIndex: 0, conflictTerm: 0 })
  }
}

function stepLeader(state: RaftState, message: RaftMessage): void {
  const progress = state.progress.get(message.from)
  // Nothing is known of one that is not a member any more.
  if (progress !== undefined) {
    progress.silentTicks = 0
    progress.owesAnswer = false
  }
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
    case 'snapshot':
      if (follows(state, message.from)) handleSnapshot(state, message)
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
