import type { FlagsFor } from './flag.ts'

/** Timing of the groups that decide a NEED. Ticks are runtime.tickMs long. */
export type ConsensusConfig = {
  readonly electionTicksMin: number
  readonly heartbeatTicks: number
  readonly precisionMs: number
  readonly formTimeoutMs: number
  readonly groupSize: number
  readonly joinTimeoutMs: number
  readonly awayTimeoutMs: number
  readonly stallTimeoutMs: number
  readonly lingerMs: number
}

/**
 * 20 ticks of 50 ms without a leader before an election: a second, well above the pause of a busy laptop. A clock
 * difference of 5 s covers machines without time synchronisation for days. Invited candidates have half a second to answer; on a
 * network with slow links give them more. Four members are the least that survive one loss. A new epoch costs a round of promises and
 * the worker its lease: so a member that is slow to write its promise has ten times what a slow disk needs, and one that is away, or a group that is
 * stuck, as long as a laptop that was closed for a moment. Nothing about an ended thread that was
 * under way at its end travels for longer than a minute.
 */
export const consensusDefaults: ConsensusConfig = {
  electionTicksMin: 20,
  heartbeatTicks: 4,
  precisionMs: 5000,
  formTimeoutMs: 500,
  groupSize: 4,
  joinTimeoutMs: 5_000,
  awayTimeoutMs: 30_000,
  stallTimeoutMs: 30_000,
  lingerMs: 60_000
}

export const consensusFlags: FlagsFor<'consensus', ConsensusConfig> = {
  'consensus.lingerMs': {
    type: 'number',
    unit: 'ms',
    min: 1000,
    max: 86_400_000,
    help: 'How long a thread stays in memory after its end, before it is archived.'
  },
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
  },
  'consensus.groupSize': {
    type: 'number',
    unit: 'members',
    min: 4,
    max: 7,
    help: 'Members of the groups for own NEEDs: 4, or 7 to survive two losses.'
  },
  'consensus.joinTimeoutMs': {
    type: 'number',
    unit: 'ms',
    min: 500,
    max: 600_000,
    help: 'Time for a chosen member to join before a new epoch of an own NEED begins without it.'
  },
  'consensus.awayTimeoutMs': {
    type: 'number',
    unit: 'ms',
    min: 1000,
    max: 86_400_000,
    help: 'Time that a member may be away before a new epoch of an own NEED begins without it.'
  },
  'consensus.stallTimeoutMs': {
    type: 'number',
    unit: 'ms',
    min: 1000,
    max: 86_400_000,
    help: 'Time that a group may be stuck before a new epoch of an own NEED begins.'
  }
}
