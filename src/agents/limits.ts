/** Limits of an agent. */

/** Bytes of all inputs of a task, and of an output, in memory: several agents share one process. */
export const ARTIFACT_BYTES_MAX: number = 64 * 1024 * 1024
/** ms that the network gets to deliver an artifact that exists; a fetch from a neighbour takes tens of ms. */
export const FETCH_TIMEOUT_MS = 15_000
/** ms that a program may run unless its owner says otherwise. */
export const PROGRAM_TIMEOUT_MS: number = 10 * 60_000
/** Programs at once per agent. */
export const CONCURRENCY = 4
/** Times that a worker gives one task back before it leaves it alone. */
export const FAILURES_MAX = 2
/** ms after which a statement that has not shown up in the thread is made again. */
export const RESTATE_MS = 1500
/** ms before a refused call is tried again; doubles with each refusal, up to the maximum. */
export const BACKOFF_MS_MIN = 200
export const BACKOFF_MS_MAX = 10_000
/** ms between looks at all open threads: events may be lost, and a look costs a millisecond per thread. */
export const SWEEP_MS = 5000
/** ms that a FINAL thread whose log is not here yet is waited for: a node pulls it within seconds from whoever shows the certificate. */
export const RESULT_WAIT_MS = 15_000
/** Open threads that an agent looks at when it starts and in each sweep. */
export const THREADS_MAX = 1000
/** Threads looked at in the same moment. */
export const LOOKS_MAX = 16
/** Bytes of stderr that are kept of a program: the end is where the reason stands. */
export const STDERR_BYTES_MAX = 4096
/** ms between SIGTERM and SIGKILL for a program that is stopped. */
export const KILL_GRACE_MS = 2000
/** Characters of a reason on the wire; the protocol takes more, readers do not. */
export const REASON_LENGTH_MAX = 400
/** Texts that one call identifies before the event loop gets its turn: a few ms of work. */
export const TEXTS_PER_TURN = 100
/** Characters of a text that the result repeats, so that people can read it. */
export const EXCERPT_LENGTH = 60
/** Tasks of a plan: each is a NEED of its own, and their facts must fit into one PROPOSE. */
export const PLAN_TASKS_MAX = 32
/** Facts of a plan in a PROPOSE: what the base capsule allows. */
export const PLAN_FACTS_MAX = 128
/** Inputs of a task: with the results that they come from they must fit into the NEED's refs. */
export const TASK_INPUTS_MAX = 24
/** Outputs of a program: a verifier fetches each of them. */
export const TASK_OUTPUTS_MAX = 64
/** Credits that a coordinator pays for one task, bounty included, where the NEED pays enough. */
export const TASK_CREDITS = 5n
/** One part in so many of a task's credits is its verify bounty. */
export const BOUNTY_PART = 5n
/** Times that a task of a plan is stated: the second time some other worker may be decided. */
export const TASK_ATTEMPTS_MAX = 2
/** ms below which there is no use in stating a task: the round trips of bids and verdicts take as long. */
export const TASK_TTL_MS_MIN = 500
/** UTF-16 code units of the plan's slot that a task's slot repeats; a slot has 256 by the base capsule, a task's name up to 64. */
export const SLOT_PART_LENGTH = 128
/** Facts and refs that a coordinator says in one envelope. */
export const FACTS_AT_ONCE = 64
export const REFS_AT_ONCE = 16
