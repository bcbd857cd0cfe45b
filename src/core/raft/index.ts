export type { HardState, LogEntry, LogIndex, MemberId, ProposalRefusal, RaftInit, RaftMessage, RaftRole, RaftStatus, Ready, Term } from './types.ts'
