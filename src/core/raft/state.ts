import { SparseMap } from '../base/index.ts'
import { OUTBOX_MESSAGES_MAX } from './limits.ts'
import type { RaftLog } from './log.ts'
import type { Progress } from './progress.ts'
import type {
  Configuration,
  Forwarded,
  MemberId,
  RaftMessage,
  RaftRole,
  Snapshot,
  Term
} from './types.ts'

/** A leader hands over to another member. */
export type Transfer = {
  readonly to: MemberId
  /** Ticks since it was asked for. */
  ticks: number
  /** The member was told to stand for election. */
  isSent: boolean
}

/** All that a member is, mutated in place by the functions of this room. */
export type RaftState = {
  readonly id: MemberId
  /** Whether the log may change the members. */
  readonly changesMembers: boolean
  readonly electionTicksMin: number
  readonly heartbeatTicks: number
  readonly random: (below: number) => number
  readonly log: RaftLog

  /** The latest in the log, whether committed or not (section 6). */
  configuration: Configuration
  /** Its other members, in text order. */
  peers: readonly MemberId[]
  /** What stands for the entries that the log has no more. */
  snapshot: Snapshot | null
  /** The snapshot is for the next batch. */
  isSnapshotNew: boolean

  term: Term
  vote: MemberId | null
  role: RaftRole
  /** The leader of `term` as far as known. */
  leader: MemberId | null

  /** Ticks since the leader was heard of, a vote was given, or this member stood for election. */
  electionTicks: number
  /** Drawn anew each time `electionTicks` starts again. */
  electionTimeout: number
  /** Leader: ticks since the last heartbeats. */
  heartbeatTicksPassed: number
  /** (Pre-)candidate: answers so far. */
  votes: Map<MemberId, boolean>
  /** Leader: one for each peer. */
  progress: Map<MemberId, Progress>
  transfer: Transfer | null
  /** Ticks do nothing; see quiescence.ts. */
  isQuiescent: boolean
  /** Messages of the next batch. */
  outbox: RaftMessage[]
  /** Leader: what followers ask to have proposed, for the next batch. */
  forwarded: Forwarded[]
}

type BodyOf<M> = M extends unknown ? Omit<M, 'from' | 'to' | 'term'> : never
/** A message without its address. */
export type MessageBody = BodyOf<RaftMessage>
type Matching<M, T> = M extends { readonly type: infer U } ? (T extends U ? M : never) : never
/** A message of one type. */
export type MessageOf<T extends RaftMessage['type']> = Matching<RaftMessage, T>

/** Puts a message into the next batch; it leaves after everything in that batch is persisted. */
export function send(
  state: RaftState,
  to: MemberId,
  body: MessageBody,
  term: Term = state.term
): void {
  if (state.outbox.length >= OUTBOX_MESSAGES_MAX) return
  state.outbox.push({ from: state.id, to, term, ...body } as RaftMessage)
}

/** Starts the election timer again with a new random timeout in [min, 2 min), so that members rarely stand together. */
export function restartElectionTimer(state: RaftState): void {
  state.electionTicks = 0
  state.electionTimeout = state.electionTicksMin + state.random(state.electionTicksMin)
}

/** Rules for servers: a higher term, or the leader of this one, makes any member a follower. */
export function becomeFollower(state: RaftState, term: Term, leader: MemberId | null): void {
  if (term > state.term) {
    state.term = term
    state.vote = null
  }
  state.role = 'follower'
  state.leader = leader
  state.votes = new SparseMap()
  state.progress = new SparseMap()
  state.transfer = null
  state.forwarded = []
  restartElectionTimer(state)
}
