/**
 * Limits of this room, each with unit and reason. A message above one of them is ignored as malformed.
 */
import { ENVELOPE_BYTES_MAX } from '../base/index.ts'

/** Bytes of one entry: an envelope and room for what the layer above wraps around it. */
export const ENTRY_BYTES_MAX: number = 2 * ENVELOPE_BYTES_MAX
/** Entries of one append. Bounds the work that one message can cause. */
export const APPEND_ENTRIES_MAX = 256
/** Bytes of data in one append; with its framing well below one direct message of 1 MiB. */
export const APPEND_BYTES_MAX: number = 256 * 1024
/** Appends with entries on their way to one follower. 16 x 256 KiB fill a stream buffer of 4 MiB. */
export const INFLIGHT_APPENDS_MAX = 16
/** Entries of a leader's log that are not committed. Beyond it proposals are refused until the group catches up. */
export const UNCOMMITTED_ENTRIES_MAX = 1024
/** Entries handed out as committed in one batch, so that refolding a long log does not block the caller. */
export const COMMITTED_PER_READY_MAX = 1024
/** Messages waiting for the next batch. More are dropped, as a network may do: a flood must not fill the memory. */
export const OUTBOX_MESSAGES_MAX = 4096
/**
 * Bytes of a snapshot's data. With its framing it fits into one direct message of 1 MiB, so it is sent whole and not in pieces: the state of one
 * group is that of one small matter, not of a database.
 */
export const SNAPSHOT_BYTES_MAX: number = 512 * 1024
/** Names in each list of a configuration. Far above any roster (7); a majority of more would be slow to agree. */
export const CONFIGURATION_MEMBERS_MAX = 64
/** Entries that a learner may lack and still become a voter: about what arrives while one append travels. */
export const CATCH_UP_ENTRIES_MAX = 64
/** Proposals of followers in one batch: 64 of the largest are 8 MiB. More are dropped, and their senders forward again. */
export const FORWARDED_PER_READY_MAX = 64
/**
 * How far ahead of ours a term may be. Honest terms rise by one an election; without this, one message of a hostile member could
 * use up all terms.
 */
export const TERM_JUMP_MAX = 1_000_000
/** Highest term and highest index: sums with small numbers stay safe integers. */
export const NUMBER_MAX: number = 2 ** 52
