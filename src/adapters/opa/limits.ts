/**
 * Limits of evaluation. Those of memory are part of the engine's rules: they decide what ends in a trap, so every node has
 * the same, and their values are in the engine hash.
 */

/** Input of up to this many bytes of JSON runs in the small memory: nearly every message, certificates too. */
export const SMALL_INPUT_BYTES: number = 16 * 1024
/** Pages of 64 KiB. 1 MiB: the policy itself takes an eighth, and messages take up to 40 times their JSON text once parsed. */
export const SMALL_MEMORY_PAGES = 16
/** 8 MiB: room for the worst envelope of 64 KiB. Above it the evaluation traps, and a trap is a deny. */
export const LARGE_MEMORY_PAGES = 128
/** Compiled policy, in bytes. */
export const CAPSULE_WASM_BYTES_MAX: number = 1024 * 1024
/** The capsule's own block, with its vectors, in bytes. */
export const CAPSULE_BLOCK_BYTES_MAX: number = 256 * 1024
/** Conformance vectors of one capsule; all are run whenever it is loaded. */
export const CAPSULE_VECTORS_MAX = 256
/** Reasons of one decision, and characters of each; an answer with more is malformed. */
export const REASONS_MAX = 64
export const REASON_LENGTH_MAX = 512
/**
 * Bytes of the JSON text of an answer: the most reasons of the greatest length, every character escaped, and some. An answer
 * that does not end within is malformed.
 */
export const ANSWER_BYTES_MAX: number = 256 * 1024
/** Gas that a capsule may give to one evaluation: some ten ms once the policy is compiled, some hundred before. */
export const CAPSULE_GAS_MAX = 100_000_000
/** Gas of all vectors of a capsule together: whoever loads it spends that, some seconds at the very most. */
export const CAPSULE_VECTORS_GAS_MAX = 1_000_000_000
/** Slots of stack that a capsule may give: 512 KiB and some, far below what a thread has. */
export const CAPSULE_STACK_MAX = 65_536
/** Gas of a question that the asking thread judges itself: three times a usual message, a fifth of a ms once compiled, a few ms before. */
export const LONE_GAS_MAX = 2_000_000
/** Characters of such a question: it needs the small memory, and reading it is a matter of microseconds. */
export const LONE_CHARACTERS_MAX = 4096
/** ms of a turn of the event loop that may go to such questions before the rest waits for a thread: a fraction of a stall that anybody would notice. */
export const LONE_TURN_MS = 2
/** Evaluations that wait at once. Beyond it the engine is overloaded and abstains. */
export const PENDING_MAX = 10_000
/** Of them to one capsule of a stranger: those of all ready capsules fit beside each other. */
export const PENDING_OF_GUEST_MAX = 1000
/** Capsules of which it is remembered how much of the threads they had: some times those that can be ready. */
export const LINES_MAX = 64
/** Capsules besides the base capsule that are ready at once; the one that was not asked for longest is unloaded. Each takes up to 12 MiB. */
export const GUESTS_MAX = 8
/** Refused capsules that are remembered, so that nobody makes a node judge the same one again. */
export const REFUSED_MAX = 1024
/** Questions in one message to a thread: what costs it a few ms. */
export const BATCH_QUESTIONS_MAX = 32
/** Characters of the inputs in one message, but for one that is longer alone: inputs of the usual size fit thirty-two times. */
export const BATCH_CHARACTERS_MAX: number = 128 * 1024
/** After so many ms a thread answers what it has judged of a message, and leaves the rest to be asked again: nobody waits for what came later. */
export const SLICE_MS = 4
/** Threads that judge messages by the base capsule. One that burns its gas leaves the other to the rest. */
export const THREADS_MAX = 2
/** How long a thread besides the first stays without work, in ms. */
export const IDLE_THREAD_MS = 30_000
/** Longest start of a thread in ms. A machine under heavy load needs seconds. */
export const START_MS_MAX = 30_000
/** Wall time in ms for loading one capsule: metering, compiling, and its vectors on a busy machine. A guard, not a limit. */
export const LOAD_MS_MAX = 30_000
