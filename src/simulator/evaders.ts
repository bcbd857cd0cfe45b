import type { FaultName } from './faults.ts'
import type { Plan, SeedOptions } from './plan.ts'
import { seededRandom } from './seeded-random.ts'

/** Part of the seeds in which one of these lies is told, where nobody else lies. */
const EVADERS_CHANCE = 0.15
/** Part of the seeds with a member that does not join in which there is another of its kind. */
const PAIR_CHANCE = 0.5
/** Draws for these lies come from a source of their own. */
const EVADERS_SEED = 0x7a6b5c

/** Part of the seeds without another liar in which there is a leader that leaves things out, and where these draws come from. */
const OMITTER_CHANCE = 0.1
const OMITTER_SEED = 0x3d1e5f

/** Lies that break no statement: they cost others time, room or a result. */
const EVASIONS: readonly FaultName[] = ['absentee', 'hasty', 'copier']

/** Who in a seed evades its duties, if anybody does. Null where nobody does. */
export function evadersOf(plan: Plan, { faults }: SeedOptions): Partial<Plan> | null {
  const random = seededRandom((plan.seed ^ EVADERS_SEED) >>> 0)
  const allowed = EVASIONS.filter(name => faults?.includes(name) ?? true)
  const isCertain = faults !== undefined && faults.length <= 3
  if (allowed.length === 0 || plan.liars.length > 0) return null
  if (plan.faults.length === 0 && faults === undefined) return null
  if (!random.chance(EVADERS_CHANCE) && !isCertain) return null
  const fault = random.pick(allowed)
  // The first node states needs.
  const first = { node: fault === 'hasty' ? 0 : 1 + random.below(plan.nodes - 1), fault }
  const second = { node: 1 + random.below(plan.nodes - 1), fault }
  // Two that do not join are no danger to any rule: they say nothing that is not so.
  const isPair = fault === 'absentee' && second.node !== first.node && random.chance(PAIR_CHANCE)
  return {
    faults: [...plan.faults, fault],
    liars: isPair ? [first, second] : [first]
  }
}

/** Who in a seed leaves things out as leader, if anybody does. Null where nobody does. */
export function omitterOf(plan: Plan, { faults }: SeedOptions): Partial<Plan> | null {
  const random = seededRandom((plan.seed ^ OMITTER_SEED) >>> 0)
  if (plan.liars.length > 0 || faults?.includes('omitter') === false) return null
  if (faults === undefined && (plan.faults.length === 0 || !random.chance(OMITTER_CHANCE)))
    return null
  const liar = { node: random.below(plan.nodes), fault: 'omitter' as const }
  return { faults: [...plan.faults, 'omitter'], liars: [liar] }
}
