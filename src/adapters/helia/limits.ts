/**
 * Limits of the content store, with unit and reason.
 */

/** How long a call waits, in ms, without a single block arriving before it says that nobody has the artifact. */
export const FETCH_PATIENCE_MS = 60_000
/** A wait is cut into attempts of at most this many ms; each asks peers and the DHT anew, because a want is sent only once. */
export const FETCH_ATTEMPT_MS = 2_500
/** Every second attempt ends after this many ms: a bitswap server only forgets that it sent a block when it is asked, and delivers when asked again. */
export const FETCH_ECHO_MS = 500
/** Pause in ms before a block is wanted again: bitswap swallows a want that follows its own cancellation by less than 10 ms. */
export const REWANT_PAUSE_MS = 50
/** Failures of one block, other than a silent peer, that are repaired by asking again. */
export const BLOCK_RETRIES = 1
/** Blocks asked for at once by one call. 8 to 32 measured the same rate; more costs memory. */
export const BLOCK_READ_CONCURRENCY = 16
/** Bytes of one block accepted by `putBlock` and CAR import: what other bitswap nodes accept too. */
export const BLOCK_BYTES_MAX: number = 2 * 1024 * 1024
/** Blocks of one DAG. A walk keeps a key of each in memory (about 100 bytes). */
export const DAG_BLOCKS_MAX = 4_000_000
/** Nesting of file nodes and of folders. Honest files of 1 EiB need 5; the file system ends paths at 4096 bytes. */
export const DAG_DEPTH_MAX = 128
/** Files and folders that one `get` writes: a small hostile DAG can describe endlessly many. */
export const GET_ENTRIES_MAX = 1_000_000
/** Roots waiting to be announced; the oldest leaves first. Pins are announced again at the next start. */
export const PROVIDE_QUEUE_MAX = 4096
/** Roots announced at once: each is a DHT walk of some dozen messages. */
export const PROVIDE_CONCURRENCY = 2
/** One announcement, in ms. A DHT without peers would otherwise hold the queue for ever. */
export const PROVIDE_TIMEOUT_MS = 15_000
/** First and longest pause in ms before an announcement that reached nobody is tried again. */
export const PROVIDE_RETRY_MS = 1_000
export const PROVIDE_RETRY_MS_MAX = 300_000
/** Calls in flight get this many ms to end after `stop`; then the databases close anyway. */
export const STOP_GRACE_MS = 3_000
