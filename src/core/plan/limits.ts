/**
 * Limits of one plan. None depends on the order of arrival: each is a position in a chain that its sender has signed, or in the order of
 * sources, so that every replica leaves out the same.
 */

/** Facts of one session. Three times the largest plan that is measured, by a single writer. */
export const SESSION_FACTS_MAX = 32_768
/** Bytes of one session's envelopes: half of what a thread may hold (THREAD_BYTES_MAX). */
export const SESSION_BYTES_MAX: number = 16 * 1024 * 1024
/** Links that the order looks at, in source order. A link that comes between others makes it look at all of them again. */
export const PLAN_LINKS_MAX = 8_192
/** Links that the order leaves out; behind so many it looks at no more. Each of them may cost a look at all that were taken. */
export const PLAN_FLAWS_MAX = 512
/** Tasks on the longest way through the links. Bounds what one more link can move: each task moves down at most so often. */
export const PLAN_DEPTH_MAX = 256
