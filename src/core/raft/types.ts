/** A log position's term; 0 before the first election. */
export type Term = number
/** 1-based position in the log; 0 is "before the first entry". */
export type LogIndex = number
/** Name of a member; compared as text, never parsed. */
export type MemberId = string

/** Who takes part. Voters decide by majority; while the voters change, by a majority of the new and one of the old ones. */
export type Configuration = {
  readonly voters: readonly MemberId[]
  /** The voters that are being replaced; empty except during a change. */
  readonly outgoing: readonly MemberId[]
  /** Get the log and decide nothing. While they are outgoing too, they vote as such. */
  readonly learners: readonly MemberId[]
}

/**
 * One entry. `data` is opaque to this room; empty for the entry that a new leader appends, and for one that changes the members. Only the latter
 * has a `configuration`: any other entry has exactly three fields.
 */
export type LogEntry = {
  readonly term: Term
  readonly index: LogIndex
  readonly data: Uint8Array
  readonly configuration?: Configuration
}

/** What stands for all entries up to (index, term): the configuration there, and the applied state as the layer above wrote it. */
export type Snapshot = {
  readonly index: LogIndex
  readonly term: Term
  readonly configuration: Configuration
  readonly data: Uint8Array
}

/** What must be on disk before any message of the same batch leaves (R13). */
export type HardState = {
  readonly term: Term
  readonly vote: MemberId | null
  readonly commit: LogIndex
}

/** Messages between members. Plain data, canonical-encodable (no undefined, no floats). */
export type RaftMessage = {
  readonly from: MemberId
  readonly to: MemberId
  readonly term: Term
} & (
  | {
      readonly type: 'pre-vote' | 'vote'
      readonly lastIndex: LogIndex
      readonly lastTerm: Term
      readonly transfer: boolean
    }
  | { readonly type: 'pre-vote-reply' | 'vote-reply'; readonly granted: boolean }
  | {
      readonly type: 'append'
      readonly previousIndex: LogIndex
      readonly previousTerm: Term
      readonly entries: readonly LogEntry[]
      readonly commit: LogIndex
    }
  | {
      readonly type: 'append-reply'
      readonly success: boolean
      /** Success: last index known to match. Failure: where to retry. */
      readonly matchIndex: LogIndex
      /** Failure: term of the conflicting entry, 0 when the log is too short (fast back-up). */
      readonly conflictTerm: Term
    }
  | {
      readonly type: 'heartbeat'
      readonly commit: LogIndex
      /** Nothing is left to agree on: be quiet until something happens. */
      readonly quiesce: boolean
    }
  | { readonly type: 'heartbeat-reply' }
  | { readonly type: 'timeout-now' }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  /** What a follower asks the leader to propose. */
  | { readonly type: 'forward'; readonly data: Uint8Array }
)

/** Why a proposal was not taken. */
export type ProposalRefusal = 'not-leader' | 'too-many-in-flight' | 'transferring'

/** Why a transfer of leadership was not begun. */
export type TransferRefusal = 'not-leader' | 'not-member'

/** Why a proposal was not sent on: this member leads and can propose it itself, or no leader is known. */
export type ForwardRefusal = 'leads' | 'no-leader'

/** Why a change of the members was not begun. */
export type ChangeRefusal =
  | 'not-leader'
  /** The group was made with members that never change. */
  | 'fixed'
  /** The target has no voter, too many names, or one twice. */
  | 'malformed'
  | 'unchanged'
  | 'transferring'
  /** The last change is not committed and completed yet. */
  | 'change-under-way'
  /** This leader has not committed an entry of its own term yet. */
  | 'too-early'
  /** A new voter must first be a learner that was heard of lately and lacks next to nothing. */
  | 'not-caught-up'

/** A proposal of a follower, for the layer above to check, complete and propose. */
export type Forwarded = { readonly from: MemberId; readonly data: Uint8Array }

/** One batch of work for the caller, to be done in this order: persist, then send, then apply. */
export type Ready = {
  /** Set when term, vote or commit changed. */
  readonly hardState: HardState | null
  /** Set to true when term or vote changed, or entries or a snapshot are present: fsync before `messages` leave. */
  readonly mustSync: boolean
  /**
   * To be persisted before the entries; it replaces the stored snapshot and what it covers of the stored log (`replaySnapshot`). Where its index
   * is beyond what was applied, it came from the leader and replaces the applied state too, before `committed` is applied.
   */
  readonly snapshot: Snapshot | null
  /** Entries to persist; the first one's index truncates everything at or after it. */
  readonly entries: readonly LogEntry[]
  readonly messages: readonly RaftMessage[]
  /** Entries that are now committed, in order, each given exactly once. */
  readonly committed: readonly LogEntry[]
  /** Leader: what followers ask to have proposed. Opaque and unchecked; not in the log. */
  readonly forwarded: readonly Forwarded[]
}

export type RaftInit = {
  readonly id: MemberId
  /** The voters at the beginning, including this one; empty in a member that joins later and learns them from the log. */
  readonly members: readonly MemberId[]
  /**
   * The log may change the members. Without it, which is the default, whatever would do so is ignored, and so is everybody who is not in
   * `members`. With it, the layer above says who may talk to this member at all.
   */
  readonly changesMembers?: boolean
  readonly electionTicksMin: number
  readonly heartbeatTicks: number
  /** Deterministic source of a whole number in [0, below). Draws the election timeout. */
  readonly random: (below: number) => number
  /** State from the disk; absent for a new group. The caller has restored what it applies from the snapshot. */
  readonly restored?: {
    readonly hardState: HardState
    readonly entries: readonly LogEntry[]
    readonly snapshot?: Snapshot
  }
}

export type RaftRole = 'follower' | 'pre-candidate' | 'candidate' | 'leader'

export type RaftStatus = {
  readonly role: RaftRole
  readonly term: Term
  readonly leader: MemberId | null
  readonly commit: LogIndex
  /** First index that the log holds: one more than the snapshot covers. */
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  /** Ticks do nothing until something happens. */
  readonly quiescent: boolean
}
