/** Documents in the worker's memory at once. The least recently used is freed, and folded again when it is asked for. */
export const DOCUMENTS_MAX = 64
/** Facts of one thread. Applying one change to a map of 20,000 keys takes 18 ms; above that a plan is misuse. */
export const FACTS_PER_THREAD_MAX = 20_000
/** Wait for one answer of the worker, in ms: the largest plan folds in a fraction of it. */
export const ANSWER_MS_MAX = 30_000
/** Changes are gathered for this long, in ms, and applied together: one batch costs little more than one change. */
export const GATHER_MS = 50
/** Changes gathered at most before they are applied. */
export const GATHERED_MAX = 256
/** Requests that wait for the worker at once. Beyond it changes are not queued; the thread is folded when it is read next. */
export const WAITING_MAX = 1024
