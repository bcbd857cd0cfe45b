/**
 * Every limit of the protocol, with unit and reason. A value above a limit is refused before work is spent on it.
 */

/** Bytes of one complete signed envelope. Envelopes carry references, never blobs. */
export const ENVELOPE_BYTES_MAX: number = 64 * 1024
/** Nesting of maps and lists in any DAG-CBOR value (R1). */
export const DEPTH_MAX = 32
/** Longest life of an envelope: `notAfter` minus now, in ms. Bounds the replay window. */
export const ENVELOPE_LIFE_MS_MAX: number = 24 * 3600 * 1000
/** Clock difference between honest nodes that the protocol tolerates, in ms (R14). */
export const CLOCK_SKEW_MS_MAX = 10_000
/** Envelopes that one sender may have accepted per second, sustained, and the burst allowed above it. */
export const SENDER_ENVELOPES_PER_SECOND = 50
export const SENDER_ENVELOPES_BURST = 400
/** Bytes of one direct message between peers. Well below the 4 MiB stream buffer. */
export const MESSAGE_BYTES_MAX: number = 1024 * 1024
/** Items in any list of a payload. */
export const LIST_ITEMS_MAX = 256
/** UTF-8 code units of any text field of a payload. */
export const TEXT_LENGTH_MAX = 4096
/** Facts of one UPDATE_PLAN: as many of ordinary size as its policy evaluation has gas for. */
export const PLAN_FACTS_MAX = 128
/** Heads of a plan that a decision lists by name; of more it has the hash alone. */
export const PLAN_HEADS_MAX = 32
/** Sessions of one sender in one thread: chains of UPDATE_PLANs. A node begins another only after it lost its disk. */
export const PLAN_SESSIONS_MAX = 16
/** UPDATE_PLANs of one session. Ten times the largest plan that is measured, one fact at a time, in all sessions together. */
export const PLAN_UPDATES_MAX = 16_384
/** Threads that a node follows at once; the oldest ended ones leave first. */
export const THREADS_MAX = 10_000
/** Consensus entries of one thread. A thread that needs more is misbehaving. */
export const ENTRIES_PER_THREAD_MAX = 20_000
/** Voter candidates named in one FORM. */
export const CANDIDATES_MAX = 64
/** Epochs of one NEED, the first included: attempts beyond it show that the group is not what fails. */
export const EPOCHS_MAX = 4
/** Threads of one requester that are open at once on a node: a tenth of all, about 30 MB. */
export const OPEN_THREADS_PER_REQUESTER_MAX = 1_024
/** Verdicts on public keys that are remembered. Examining a key costs about a millisecond; 4096 senders are a large swarm. */
export const KEYS_REMEMBERED_MAX = 4096
/** Good signatures that are remembered: those of about a thousand NEEDs that are being decided. About 2 MB. */
export const SIGNATURES_REMEMBERED_MAX = 16_384
/** Senders whose rate is tracked at once. An idle sender's bucket is full again after seconds, so forgetting it costs little. */
export const RATE_SENDERS_MAX = 10_000
/** Envelope ids that the replay guard remembers exactly; beyond it the oldest give way to a floor per sender. About 30 MB. */
export const REPLAY_IDS_MAX = 100_000
/** Senders that the replay guard knows at once; beyond it newcomers wait until others' envelopes have expired. */
export const REPLAY_SENDERS_MAX = 20_000
