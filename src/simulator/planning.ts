import type { Fact } from '../core/envelope/index.ts'
import type { Plan, PlannedUpdate, SeedOptions } from './plan.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

/** Part of the seeds in which agents plan. */
const PLANNING_CHANCE = 0.2
/** Part of these in which one of them forks its updates. */
const FORK_CHANCE = 0.4
/** Draws for planning come from a source of their own. */
const PLANNING_SEED = 0x9e3779b9
/** How long a NEED takes bids after the faults have stopped, in ms: so long its plan is open, and everybody's must become the same. */
export const OPEN_MS = 25_000

const TASKS: readonly string[] = ['text/upper', 'a', 'b', 'c', 'd', 'e']

/**
 * What is planned in a seed, if anything: a NEED that stays open till after the faults, whose plan everybody adds to, alone or while cut
 * off. Null where nobody plans.
 */
export function planningOf(plan: Plan, { faults }: SeedOptions): Partial<Plan> | null {
  const random = seededRandom((plan.seed ^ PLANNING_SEED) >>> 0)
  const mayFork = faults === undefined || faults.includes('fork')
  const mustFork = faults?.includes('fork') === true && faults.length <= 3
  const isPlanned = random.chance(PLANNING_CHANCE) || mustFork
  if (!isPlanned || (plan.faults.length === 0 && faults === undefined)) return null
  const forks = mayFork && plan.liars.length === 0 && (random.chance(FORK_CHANCE) || mustFork)
  const liar = forks ? ({ node: random.below(plan.nodes), fault: 'fork' } as const) : null
  const updates = Array.from({ length: 3 + random.below(20) }, () =>
    updateOf(random, plan, liar?.node ?? null)
  )
  return {
    liars: liar === null ? plan.liars : [liar],
    faults: forks ? [...plan.faults, 'fork'] : plan.faults,
    needs: [...plan.needs, openNeed(random, plan)],
    updates: updates.sort((a, b) => a.atMs - b.atMs)
  }
}

function openNeed(random: SeededRandom, { nodes, endMs }: Plan): Plan['needs'][number] {
  return {
    slot: 'slot-plan',
    atMs: 0,
    requester: random.below(nodes),
    expiresMs: endMs + OPEN_MS + 6_000,
    kPlan: 1,
    kResult: 1,
    solo: false,
    bidMs: endMs + OPEN_MS,
    leaseTtlMs: 1_000,
    verifyMs: 2_000,
    challengeMs: 300
  }
}

function updateOf(
  random: SeededRandom,
  { nodes, endMs }: Plan,
  liar: number | null
): PlannedUpdate {
  return {
    atMs: 500 + random.below(endMs),
    node: liar !== null && random.chance(0.3) ? liar : random.below(nodes),
    facts: Array.from({ length: 1 + random.below(3) }, () => factOf(random))
  }
}

function factOf(random: SeededRandom): Fact {
  const task = random.pick(TASKS)
  const other = random.pick(TASKS)
  switch (random.below(5)) {
    case 0:
      return { kind: 'ADD_TASK', task, type: `t/${random.below(3)}`, requires: [], produces: [] }
    case 1:
      return { kind: 'STATE', task, state: random.pick(['DRAFT', 'VERIFIED', 'FINAL']) }
    case 2:
      return { kind: 'ANNOTATE', task, key: 'note', value: String(random.below(1_000)) }
    default:
      return { kind: 'LINK', parent: task, child: other }
  }
}
