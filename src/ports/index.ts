/**
 * The interfaces between core and world. Adapters implement them; runtime, node and simulator use them. Types only.
 */
export type * from './archive.ts'
export type * from './artifacts.ts'
export type * from './exchange.ts'
export type * from './journal.ts'
export type * from './key-values.ts'
export type * from './logger.ts'
export type * from './network.ts'
export type * from './plan-store.ts'
export type * from './plan-streams.ts'
export type * from './policy-engine.ts'
export type * from './signer.ts'
export type * from './system.ts'
