import type { Mutant } from './mutant.ts'

/** Bugs of the shared plan. All are about updates that some nodes have and others not, or not yet. */
export const PLAN_MUTANTS: readonly Mutant[] = [
  {
    name: 'a fork of updates is not noticed',
    file: 'core/plan/chains.ts',
    find: 'session.forkedAt = Math.min(session.forkedAt, seq)',
    replace: 'session.forkedAt = Infinity',
    rules: ['plan'],
    seedsMax: 10,
    faults: ['fork']
  },
  {
    name: 'updates count as far as there was room when they came',
    file: 'core/swarm/plan-intake.ts',
    find: 'PLAN_BYTES_MAX / 2\n',
    replace: '2_500\n',
    rules: ['plan'],
    seedsMax: 10,
    faults: ['fork', 'delay', 'reorder']
  },
  {
    name: 'who was cut off is not told the updates that it missed',
    file: 'core/swarm/sync.ts',
    find: 'if (!sent.has(id) && !have.has(id)) missing',
    replace:
      "if (!sent.has(id) && !have.has(id) && admitted.envelope.verb !== 'UPDATE_PLAN') missing",
    rules: ['plan'],
    seedsMax: 10,
    seedSeen: 7,
    faults: ['partition', 'fork']
  },
  {
    name: 'a fact shows an envelope that nobody signed',
    file: 'core/plan/plan-state.ts',
    find: "sender: '', envelope: judged }",
    replace: "sender: '', envelope: judged.concat('x') }",
    rules: ['plan'],
    seedsMax: 10,
    faults: ['fork']
  }
]
