import { ENVELOPE_BYTES_MAX } from '../../core/base/index.ts'

/** Documents in the worker's memory at once. The least recently used is freed, and folded again when it is asked for. */
export const DOCUMENTS_MAX = 64
/** Bytes of envelopes in the documents in memory; Automerge's own memory is some three times as much. One document may have more. */
export const DOCUMENTS_BYTES_MAX: number = 64 * 1024 * 1024
/** Wait for one answer of the worker, in ms: the largest plan folds in a fraction of it. */
export const ANSWER_MS_MAX = 30_000
/** Changes are gathered for this long, in ms, and applied together: one batch costs little more than one change. */
export const GATHER_MS = 50
/** Changes gathered at most before they are applied. */
export const GATHERED_MAX = 256
/** Envelopes, and about how many bytes of them, that are handed to the worker together when a document is folded: a few ms of the event loop. */
export const FOLD_SLICE_ENTRIES = 512
export const FOLD_SLICE_BYTES: number = 512 * 1024
/** Requests that wait for the worker at once. Beyond it changes are not queued; the thread is folded when it is read next. */
export const WAITING_MAX = 1024

/** Bytes of one sync message; as a direct message. */
export const SYNC_MESSAGE_BYTES_MAX: number = 1024 * 1024
/** Bytes of one Automerge change: an envelope and what stands around it (some 200 bytes). */
export const CHANGE_BYTES_MAX: number = ENVELOPE_BYTES_MAX + 256
/** Heads, wanted changes, and heads of the last common state in one message that is taken. A head is a sender's session, or a PROPOSE. Half a message. */
export const HASHES_MAX = 16_384
/**
 * The same in one message that is sent: with as many changes and the largest filter they fit into it. Twice the sessions that strangers may have in a plan. Where
 * there are more heads, those that are not named are found by the filter.
 */
export const HEADS_SAID_MAX = 8_192
export const WANTS_SAID_MAX = 4_096
/** States that a message compares with. Automerge names one. */
export const HAVES_MAX = 2
/** Changes that a Bloom filter stands for; with more, it is left empty and the other side sends what it has not sent yet. */
export const BLOOM_ENTRIES_MAX = 65_536
/** Bytes of a Bloom filter: ten bits for each change. */
export const BLOOM_BYTES_MAX: number = 128 * 1024
/** Changes in one message that is taken, and that is sent. */
export const MESSAGE_CHANGES_MAX = 1024
export const SENT_CHANGES_MAX = 256
/** Bytes of changes in one message that is sent: the other side checks a message before it reads the next. */
export const SENT_BYTES_MAX: number = 192 * 1024
/** The same for the first message over a stream: judging begins soon, and goes on while the next are read. */
export const FIRST_BYTES_MAX: number = 32 * 1024
/** Bytes after a message in which Automerge says which versions it speaks. */
export const CAPABILITIES_BYTES_MAX = 16
/** States of sync that are kept, one for each thread and peer, and their bytes, about: a quarter of the worker's heap. The peer with the most gives way. */
export const SESSIONS_MAX = 1024
export const SESSIONS_BYTES_MAX: number = 64 * 1024 * 1024
/** Memory that a hash takes in a list or set: its text, and its place there. */
export const HASH_BYTES = 128
/** Forked sessions of which a peer is shown both sides, for one message of it, and in all over one stream. */
export const FORKS_SHOWN_MAX = 64
export const FORKS_OF_STREAM_MAX = 1024
/** Changes that one peer's changes rest on and that are asked for by name. */
export const WANTED_MAX = 256
