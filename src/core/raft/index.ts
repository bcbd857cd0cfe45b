/**
 * Consensus over opaque bytes: one `Raft` is one member of one group. A pure state machine, after Ongaro's thesis ("Consensus:
 * Bridging Theory and Practice"; sections are cited in the code) and in the manner of etcd: input goes in by `tick`, `step` and
 * `propose`, work comes out as a `Ready` batch. The protocol is in protocols/raft/README.md.
 *
 * Duties of the caller:
 *
 * 1. Call `tick` at an even pace, and `step` only with messages whose sender the transport has authenticated as `from`.
 * 2. After any input call `ready` until it returns null. For each batch, in this order: write `snapshot` (`replaySnapshot`), then
 *    `entries` (the first one's index truncates the stored log: `replayBatch`), then `hardState`, whose commit may speak of these entries, so that a
 *    torn tail never leaves it without them; fsync when `mustSync`, send `messages`, apply
 *    `snapshot` and `committed`, look at `forwarded`, call `advance`. Calling
 *    `advance` early is fine where the caller runs all effects in order and ends when a write fails.
 * 3. Inputs may come between `ready` and `advance`; the next batch waits.
 * 4. A failed write ends the member. It starts again from what the disk holds, with `restored`; all committed entries come again.
 * 5. Write a snapshot by `compact` when the log gets long, if at all. Say `quiesce` when there is nothing to do, and `wake` when there is and
 *    nobody leads.
 * 6. With `changesMembers`, let only those talk to this member who may be members at some time.
 * 7. A member that lost its disk is a different member: it never comes back under the same name.
 *
 * Invariants:
 *
 * 1. At most one leader a term. A term and its vote are on disk before the vote leaves.
 * 2. A committed entry is never removed or replaced, and is handed out once, in order, in the life of the object.
 * 3. A copy of an entry counts towards commit once it is on that member's disk, the leader's own included.
 * 4. No message makes anything throw. A member that lies can stop the group, or break agreement: Raft tolerates crashes only, and the
 *    certificates above it are what strangers trust.
 */
export { RaftRestoreError } from './errors.ts'
export {
  APPEND_BYTES_MAX,
  ENTRY_BYTES_MAX,
  INFLIGHT_APPENDS_MAX,
  SNAPSHOT_BYTES_MAX
} from './limits.ts'
export { replayBatch, replaySnapshot } from './log.ts'
export type { MembersTarget } from './membership.ts'
export { quorumSize } from './quorum.ts'
export { Raft } from './raft.ts'
export type {
  ChangeRefusal,
  Configuration,
  Forwarded,
  ForwardRefusal,
  HardState,
  LogEntry,
  LogIndex,
  MemberId,
  ProposalRefusal,
  RaftInit,
  RaftMessage,
  RaftRole,
  RaftStatus,
  Ready,
  Snapshot,
  Term,
  TransferRefusal
} from './types.ts'
export { isRaftMessage } from './validate.ts'
