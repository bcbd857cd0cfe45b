/** A log position's term; 0 before the first election. */
export type Term = number
/** 1-based position in the log; 0 is "before the first entry". */
export type LogIndex = number
/** Name of a member; compared as text, never parsed. */
export type MemberId = string

/** One entry. `data` is opaque to this room; empty for the entry that a new leader appends. */
export type LogEntry = { readonly term: Term; readonly index: LogIndex; readonly data: Uint8Array }

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
  /** What a follower asks the leader to propose. */
  | { readonly type: 'forward'; readonly data: Uint8Array }
)

/** Why a proposal was not taken. */
export type ProposalRefusal = 'not-leader' | 'too-many-in-flight' | 'transferring'

/** Why a transfer of leadership was not begun. */
export type TransferRefusal = 'not-leader' | 'not-member'

/** Why a proposal was not sent on: this member leads and can propose it itself, or no leader is known. */
export type ForwardRefusal = 'leads' | 'no-leader'

/** A proposal of a follower, for the layer above to check, complete and propose. */
export type Forwarded = { readonly from: MemberId; readonly data: Uint8Array }

/** One batch of work for the caller, to be done in this order: persist, then send, then apply. */
export type Ready = {
  /** Set when term, vote or commit changed. */
  readonly hardState: HardState | null
  /** Set to true when term or vote changed, or entries are present: fsync before `messages` leave. */
  readonly mustSync: boolean
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
  /** All members including this one. Fixed for the life of the group in this release. */
  readonly members: readonly MemberId[]
  readonly electionTicksMin: number
  readonly heartbeatTicks: number
  /** Deterministic source of a whole number in [0, below). Draws the election timeout. */
  readonly random: (below: number) => number
  /** State from the disk; absent for a new group. */
  readonly restored?: { readonly hardState: HardState; readonly entries: readonly LogEntry[] }
}

export type RaftRole = 'follower' | 'pre-candidate' | 'candidate' | 'leader'

export type RaftStatus = {
  readonly role: RaftRole
  readonly term: Term
  readonly leader: MemberId | null
  readonly commit: LogIndex
  readonly lastIndex: LogIndex
  /** Ticks do nothing until something happens. */
  readonly quiescent: boolean
}
