import type { Effect, Input, JournalRecord } from '../core/swarm/index.ts'

/** The pure state machine that the driver steps. `Swarm` of core/swarm is one; tests script others. */
export interface Machine {
  /** Takes back one record of the journal. Called for all records in order, before `start`. */
  restore(record: JournalRecord): void
  /** Goes on from the restored state. Called once. */
  start(nowMs: number): readonly Effect[]
  step(input: Input): readonly Effect[]
  /** True while a deadline is open, so that ticks must be frequent. */
  isBusy(): boolean
}
