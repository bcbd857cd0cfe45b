import type { FlagsFor } from './flag.ts'

/** Timing of the groups that decide a NEED. Ticks are runtime.tickMs long. */
export type ConsensusConfig = {
  readonly electionTicksMin: number
  readonly heartbeatTicks: number
  readonly precisionMs: number
  readonly formTimeoutMs: number
}

/**
 * 20 ticks of 50 ms without a leader before an election: a second, well above the pause of a busy laptop. A clock
 * difference of 5 s covers machines without time synchronisation for days. Invited candidates have half a second to answer; on a
 * network with slow links give them more.
 */
export const consensusDefaults: ConsensusConfig = {
  electionTicksMin: 20,
  heartbeatTicks: 4,
  precisionMs: 5000,
  formTimeoutMs: 500
}

export const consensusFlags: FlagsFor<'consensus', ConsensusConfig> = {
  'consensus.electionTicksMin': {
    type: 'number',
    unit: 'ticks',
    min: 2,
    max: 1000,
    help: 'Ticks without a leader before an election, at least.'
  },
  'consensus.heartbeatTicks': {
    type: 'number',
    unit: 'ticks',
    min: 1,
    max: 500,
    help: "Ticks between a leader's heartbeats."
  },
  'consensus.precisionMs': {
    type: 'number',
    unit: 'ms',
    min: 100,
    max: 10_000,
    help: 'Furthest that a stamp may lie ahead of the own clock and still be acknowledged.'
  },
  'consensus.formTimeoutMs': {
    type: 'number',
    unit: 'ms',
    min: 100,
    max: 60_000,
    help: 'Time for invited candidates to answer before reserves take their place.'
  }
}
