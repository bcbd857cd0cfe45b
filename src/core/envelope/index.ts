/**
 * The one signed message type: its schema per verb, its signing bytes, and the stages of the door that need no state.
 */
export type { Admitted, Draft, Envelope } from './envelope.ts'
export { compareFence, type Fence } from './fields.ts'
export { type Certificate, type Decision, type Fact, type Outcome, type Payload, payloads, VERBS, type Verb, type Windows } from './payloads.ts'
export { TAGS } from './statements.ts'
