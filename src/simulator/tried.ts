import type { Disturbance } from './faults.ts'
import type { Plan, PlannedNeed, Role } from './plan.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

/** Slots of the NEEDs that must come to a certified end although things went wrong. */
export const FRESH_SLOT = 'slot-fresh'
export const LASTING_SLOT = 'slot-lasting'

/** Part of the seeds in which a NEED is stated when the faults are over. */
const FRESH_CHANCE = 0.5
/** Part of the other seeds in which a NEED is stated at the start that outlives the faults. */
const LASTING_CHANCE = 0.5
/** How long after the faults it expires, in ms: groups that went through them have to go on, or to give way to others, which takes up to half a minute each. */
export const LASTING_MS = 100_000
/** How long after the faults a NEED expires that is stated when they are over, in ms. */
const FRESH_MS = 60_000
/** Time for verdicts where a leader may leave them out, in ms: it is replaced after five seconds (THREAD-19). */
const PATIENT_MS = 12_000
/** Draws for these NEEDs come from a source of their own. */
const TRIED_SEED = 0x11feb0a7

/** The NEED by which a seed tries whether nodes go on: in half of the seeds one as soon as the faults are over, in some of the others one from before them. Its requester is honest. */
export function triedOf(plan: Plan): Pick<Plan, 'needs' | 'disturbances'> {
  const random = seededRandom((plan.seed ^ TRIED_SEED) >>> 0)
  const { nodes, liars, endMs, updates, faults } = plan
  const honest = Array.from({ length: nodes }, (_, index) => index).filter(index =>
    liars.every(({ node }) => node !== index)
  )
  const { needs, disturbances } = plan
  if (random.chance(FRESH_CHANCE)) {
    const fresh = {
      ...needOf(random, honest, plan),
      slot: FRESH_SLOT,
      atMs: endMs + 1,
      expiresMs: FRESH_MS,
      bidMs: 300
    }
    return { needs: [...needs, fresh], disturbances }
  }
  // Where agents plan, the plan that they add to is that of another NEED.
  if (!random.chance(LASTING_CHANCE) || updates.length > 0 || faults.length === 0)
    return { needs, disturbances }
  const atMs = random.below(1_500)
  const lasting = {
    ...needOf(random, honest, plan),
    slot: LASTING_SLOT,
    atMs,
    expiresMs: endMs - atMs + LASTING_MS,
    bidMs: random.pick([300, 2_000, Math.trunc(endMs / 2), endMs])
  }
  return {
    needs: [...needs, lasting],
    disturbances: [...disturbances, ...blowsTo(random, plan, lasting)]
  }
}

/** Whether a NEED is stated when the faults are over. */
export function hasFresh({ needs }: Plan): boolean {
  return needs.some(({ slot }) => slot === FRESH_SLOT)
}

/** What happens to all nodes about when the lasting NEED is decided, of the faults that the seed has. */
function blowsTo(
  random: SeededRandom,
  { faults, nodes, endMs }: Plan,
  { atMs, bidMs }: PlannedNeed
): readonly Disturbance[] {
  const blows: Disturbance[] = []
  const decidedMs = Math.min(atMs + bidMs + 300, endMs - 1_000)
  const within = (at: number, forMs: number): { atMs: number; forMs: number } => ({
    atMs: at,
    forMs: Math.min(forMs, endMs - at)
  })
  if (faults.includes('crash')) {
    const outageMs = decidedMs + random.below(900)
    for (let node = 0; node < nodes; node++)
      blows.push({
        ...within(outageMs + random.below(50), 300 + random.below(3_000)),
        kind: 'crash',
        node,
        torn: false
      })
  }
  if (faults.includes('loss'))
    blows.push({
      ...within(decidedMs - random.below(300), 2_000 + random.below(6_000)),
      kind: 'loss',
      amount: random.pick([0.6, 0.8])
    })
  return blows
}

function needOf(
  random: SeededRandom,
  honest: readonly number[],
  { liars }: Plan
): Omit<PlannedNeed, 'slot' | 'atMs' | 'expiresMs' | 'bidMs'> {
  return {
    requester: random.pick(honest),
    kPlan: 1,
    kResult: 1,
    solo: false,
    leaseTtlMs: random.pick([500, 1_000, 3_000]),
    verifyMs: liars.some(({ fault }) => fault === 'omitter') ? PATIENT_MS : 2_000,
    challengeMs: 300
  }
}

/** How an agent behaves about these NEEDs: it does its part and may be slow at work or lose its lease, so that whatever keeps them from an end is the nodes' doing. */
export function roleWhenTried(role: Role): Role {
  return {
    ...role,
    output: 'right',
    verdict: 'honest',
    slowMs: 0,
    challenges: 'nothing',
    cost: Math.min(role.cost, 90)
  }
}
