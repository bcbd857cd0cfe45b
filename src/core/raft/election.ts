import { assert, SparseMap } from '../base/index.ts'
import { isVoter } from './configuration.ts'
import { NUMBER_MAX } from './limits.ts'
import { mayStand } from './membership.ts'
import { jointTally } from './quorum.ts'
import { becomeLeader } from './replication.ts'
import {
  becomeFollower,
  type MessageOf,
  type RaftState,
  restartElectionTimer,
  send
} from './state.ts'
import type { MemberId, RaftMessage } from './types.ts'

/** One tick of a member that does not lead: after the timeout it asks whether an election could be won. */
export function electionTick(state: RaftState): void {
  if (++state.electionTicks < state.electionTimeout) return
  if (mayStand(state)) startPreVote(state)
  else becomeFollower(state, state.term, null)
}

/**
 * [RAFT-6] 9.6: asks for votes in the next term without entering it. A member that was cut off, or cannot win, thereby
 * leaves the terms of the others alone.
 */
export function startPreVote(state: RaftState): void {
  assert(state.role !== 'leader', 'a leader does not stand for election')
  if (state.term >= NUMBER_MAX) return
  state.role = 'pre-candidate'
  state.leader = null
  state.votes = new SparseMap()
  restartElectionTimer(state)
  requestVotes(state, 'pre-vote', false)
  // Nothing durable hangs on a pre-vote, so our own counts at once.
  countPreVote(state, state.id, true)
}

/** 5.2: enters the next term and asks for votes. Our own counts when it is on disk: see `countOwnVote`. */
export function startElection(state: RaftState, options: { readonly transfer: boolean }): void {
  assert(state.role !== 'leader', 'a leader does not stand for election')
  if (state.term >= NUMBER_MAX) return
  state.term++
  state.vote = state.id
  state.role = 'candidate'
  state.leader = null
  state.votes = new SparseMap()
  restartElectionTimer(state)
  requestVotes(state, 'vote', options.transfer)
}

function requestVotes(state: RaftState, type: 'pre-vote' | 'vote', transfer: boolean): void {
  const { lastIndex, lastTerm } = state.log
  const term = type === 'pre-vote' ? state.term + 1 : state.term
  for (const peer of state.peers) {
    if (isVoter(state.configuration, peer))
      send(state, peer, { type, lastIndex, lastTerm, transfer }, term)
  }
}

/** [RAFT-9] Term and vote of the candidate were persisted: its vote for itself counts like any other (R13). */
export function countOwnVote(state: RaftState): void {
  if (state.role === 'candidate') countVote(state, state.id, true)
}

function countVote(state: RaftState, from: MemberId, granted: boolean): void {
  state.votes.set(from, granted)
  const result = jointTally(state.configuration, state.votes)
  if (result === 'won') becomeLeader(state)
  if (result === 'lost') becomeFollower(state, state.term, null)
}

function countPreVote(state: RaftState, from: MemberId, granted: boolean): void {
  state.votes.set(from, granted)
  const result = jointTally(state.configuration, state.votes)
  if (result === 'won') startElection(state, { transfer: false })
  if (result === 'lost') becomeFollower(state, state.term, null)
}

/** [RAFT-7] RequestVote, receiver's side; `request.term` is ours. */
export function handleVote(state: RaftState, request: MessageOf<'vote'>): void {
  const granted = mayVoteFor(state, request)
  if (granted) {
    state.vote = request.from
    restartElectionTimer(state)
  }
  send(state, request.from, { type: 'vote-reply', granted })
}

/** [RAFT-8] Would this member vote so in the term that is asked for? Changes nothing here. */
export function handlePreVote(state: RaftState, request: MessageOf<'pre-vote'>): void {
  const granted =
    request.term > state.term ? isUpToDate(state, request) : mayVoteFor(state, request)
  // A yes carries the term asked for, a no ours, from which an outdated pre-candidate learns.
  send(
    state,
    request.from,
    { type: 'pre-vote-reply', granted },
    granted ? request.term : state.term
  )
}

function mayVoteFor(state: RaftState, request: MessageOf<'vote'>): boolean {
  const isFree = state.vote === request.from || (state.vote === null && state.leader === null)
  return isFree && isUpToDate(state, request)
}

function isUpToDate(state: RaftState, request: MessageOf<'vote'>): boolean {
  return state.log.isUpToDate(request.lastTerm, request.lastIndex)
}

/** An answer to this member's candidacy. */
export function handleVoteReply(state: RaftState, reply: MessageOf<'vote-reply'>): void {
  if (state.role === 'candidate') countVote(state, reply.from, reply.granted)
}

/** An answer to this member's question. A yes is for the term after ours, a no is of a term that is not above ours. */
export function handlePreVoteReply(state: RaftState, reply: MessageOf<'pre-vote-reply'>): void {
  if (state.role !== 'pre-candidate') return
  if (reply.granted && reply.term !== state.term + 1) return
  countPreVote(state, reply.from, reply.granted)
}

/** [RAFT-17] 3.10: the leader wants this member to take over. */
export function handleTimeoutNow(state: RaftState, message: MessageOf<'timeout-now'>): void {
  if (state.leader === message.from && mayStand(state)) startElection(state, { transfer: true })
}

/**
 * [RAFT-10] 4.2.3: a member that has a leader does not listen to candidates, unless that leader itself wants the change.
 * The request is dropped unanswered: even its term is not taken over.
 */
export function isDisturbance(state: RaftState, message: RaftMessage): boolean {
  if (message.type !== 'vote' && message.type !== 'pre-vote') return false
  if (message.transfer || state.leader === null) return false
  // A leader's own count rests at 0.
  return state.electionTicks < state.electionTicksMin
}
