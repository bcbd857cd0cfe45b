import type { Effect, Input, JournalRecord } from '../core/swarm/index.ts'

/** The pure state machine that the driver steps. `Swarm` of core/swarm is one; tests script others. */
export interface Machine {
  /** Takes back one record of the journal. Called for all records in order, before `start`. */
  restore(record: JournalRecord): void
  /** Goes on from the restored state. Called once. */
  start(nowMs: number): readonly Effect[]
  /** Records that mean the same as all that were persisted or restored: what a compacted journal has to hold. */
  snapshot(): Iterable<JournalRecord>
  step(input: Input): readonly Effect[]
  /** Ms until it wants a tick: 0 means a tick every `tickMs`; Infinity, that it waits for no time. */
  nextTickMs(): number
}
