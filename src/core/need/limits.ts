/**
 * Limits of one NEED's fold. Identities cost nothing, so what each of them may add once is bounded as a whole: decision and outcome
 * must fit into an envelope (ENVELOPE_BYTES_MAX), and folding must stay cheap.
 */
import { K_MAX } from '../roster/index.ts'

/** ATTEST_PLANs of one proposal, sealed verdicts, challenges, findings in one dispute. Far above any K that is asked for. */
export const FINDINGS_MAX: number = K_MAX
/** Proposals of one NEED: they are compared again and again while bids are taken. */
export const PROPOSALS_MAX = 256
/**
 * Facts of UPDATE_PLANs in the log, and bytes of their envelopes, by requester and decided worker. Members write the whole plan out and
 * hash it at once, at the decision and at the end: that and the strangers' part must take less than 50 ms.
 */
export const PLANNED_FACTS_MAX = 768
export const PLANNED_BYTES_MAX: number = 256 * 1024
/** The same by everybody else, so that strangers use up nobody's room. */
export const STRANGERS_FACTS_MAX = 256
export const STRANGERS_BYTES_MAX: number = 64 * 1024
/** UTF-16 code units of a stranger's text inside a reason. */
export const QUOTE_LENGTH_MAX = 256
/**
 * Times that the decided worker may give the task back. There is no other worker in this epoch: after that the requester learns now, not
 * at the NEED's expiry, that the work cannot be done so.
 */
export const YIELDS_MAX = 2
