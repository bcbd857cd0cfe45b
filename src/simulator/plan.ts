import type { Fact } from '../core/envelope/index.ts'
import { evadersOf, omitterOf } from './evaders.ts'
import {
  BYZANTINE,
  type Disturbance,
  drawDisturbances,
  FAULT_NAMES,
  type FaultName
} from './faults.ts'
import { planningOf } from './planning.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'
import type { SignatureName } from './signatures.ts'
import { triedOf } from './tried.ts'

/** What somebody asks for; everything else is drawn from the seed. */
export type SeedOptions = {
  readonly seed: number
  /** Faults that may happen; each seed has some of them. All of them when absent. */
  readonly faults?: readonly FaultName[]
  /** `fast` unless said, and Ed25519 in every fiftieth seed. */
  readonly signatures?: SignatureName
}

/** How an agent behaves. */
export type Role = {
  readonly works: boolean
  /** ms that the work takes. */
  readonly workMs: number
  readonly output: 'right' | 'wrong'
  /** Holds a lease without a sign of life, and commits when it has run out. */
  readonly stalls: boolean
  readonly verdict: 'honest' | 'opposite' | 'none'
  /** ms from when it could answer until it does. */
  readonly slowMs: number
  readonly challenges: 'wrong results' | 'everything' | 'nothing'
  readonly cost: number
}

/** Facts that an agent adds to the plan of the newest NEED that it knows. */
export type PlannedUpdate = {
  readonly atMs: number
  readonly node: number
  readonly facts: readonly Fact[]
}

export type PlannedNeed = {
  /** Two needs of one requester may be about the same slot: then one of them at most is decided. */
  readonly slot: string
  readonly atMs: number
  readonly requester: number
  readonly expiresMs: number
  readonly kPlan: number
  readonly kResult: number
  readonly solo: boolean
  readonly bidMs: number
  readonly leaseTtlMs: number
  readonly verifyMs: number
  readonly challengeMs: number
}

/** One seed, expanded: all that is settled before the world begins. Plain data, so that a failure can show it. */
export type Plan = {
  readonly seed: number
  readonly signatures: SignatureName
  /** Messages and records are really encoded. */
  readonly encoded: boolean
  readonly nodes: number
  readonly delayMsMax: number
  readonly ordered: boolean
  /** What all nodes are set to; ms. Short waits bring epochs, and short memories archives and tombstones, into a short run. */
  readonly settings: {
    readonly groupSize: number
    readonly joinMs: number
    readonly awayMs: number
    readonly stallMs: number
    readonly lingerMs: number
    readonly restMs: number
  }
  /** Journals are rewritten to what still counts, at every start. */
  readonly compacts: boolean
  /** Records go through the lines of a file before they are replayed. */
  readonly files: boolean
  /** The faults of this seed. */
  readonly faults: readonly FaultName[]
  /** At most one, or two where groups have seven members or the two only stay away. */
  readonly liars: readonly { readonly node: number; readonly fault: FaultName }[]
  readonly roles: readonly Role[]
  readonly needs: readonly PlannedNeed[]
  /** The user asks for a new epoch of so manieth NEED, ms after the start. */
  readonly reforms: readonly { readonly need: number; readonly atMs: number }[]
  /** A day passes at the end, and the first slot is used again. */
  readonly dayLater: boolean
  /** What agents add to plans, and when. */
  readonly updates: readonly PlannedUpdate[]
  /** Faults stop then, ms after the start. */
  readonly endMs: number
  readonly disturbances: readonly Disturbance[]
}

/** One seed of so many runs with real signatures and real encoding. */
const THOROUGH_EVERY = 50
/** One seed of so many writes its records as files: that costs as much as the world itself. */
const FILES_EVERY = 41
/** In one seed of so many quiet threads rest. All nodes of a world share the little room for what was read again, which costs a tenth of the time. */
const RESTS_EVERY = 9
const NEVER_MS = 1_000_000_000
/** Probability that a fault that may happen does. */
const FAULT_CHANCE = 0.3
/** Probability that a world has no faults at all: then every group has to come to a certificate. */
const CALM_CHANCE = 0.05

/** Probability that a world's user asks for new epochs, and that a day passes at its end. */
const REFORM_CHANCE = 0.2
const DAY_CHANCE = 0.05
const LATER_DRAWS = 0x5eed
/** Faults that came later have generators of their own. */
const DRAWN_APART: ReadonlySet<FaultName> = new Set([
  'sealer',
  'fork',
  'absentee',
  'hasty',
  'copier',
  'omitter'
])

export function planOf(options: SeedOptions): Plan {
  const plan = worldOf(options)
  const planned = { ...plan, ...planningOf(plan, options) }
  const evaded = { ...planned, ...evadersOf(planned, options) }
  const omitted = { ...evaded, ...omitterOf(evaded, options) }
  return { ...omitted, ...triedOf(omitted) }
}

/** All but planning and evaders, which are drawn apart so that they move nothing else of a seed. */
function worldOf(options: SeedOptions): Plan {
  const { seed } = options
  const random = seededRandom(seed)
  const allowed = options.faults ?? FAULT_NAMES
  // One fault alone is always there; of many each world has some.
  const chance = allowed.length <= 3 ? 1 : FAULT_CHANCE
  const isCalm = random.chance(CALM_CHANCE) && options.faults === undefined
  const faults = new Set<FaultName>(
    FAULT_NAMES.filter(name => !DRAWN_APART.has(name)).filter(
      name => random.chance(chance) && allowed.includes(name) && !isCalm
    )
  )
  if (faults.has('torn') && allowed.includes('crash')) faults.add('crash')
  const nodes = 5 + random.below(3)
  const lies = BYZANTINE.filter(name => faults.has(name))
  const lie = lies.length === 0 ? null : random.pick(lies)
  for (const name of lies) if (name !== lie) faults.delete(name)
  const endMs = 4_000 + random.below(16_000)
  const thorough = seed % THOROUGH_EVERY === THOROUGH_EVERY - 1
  const plan = {
    seed,
    signatures: options.signatures ?? (thorough ? 'ed25519' : 'fast'),
    encoded: thorough,
    nodes,
    delayMsMax: random.pick([2, 10, 40, 100]),
    ordered: !faults.has('reorder'),
    settings: { ...settingsOf(random, nodes), restMs: seed % RESTS_EVERY === 0 ? 1_000 : NEVER_MS },
    compacts: random.chance(0.5),
    files: seed % FILES_EVERY === 0,
    faults: [...faults],
    // The first node states needs, so it is the requester that lies.
    liars:
      lie === null ? [] : [{ node: lie === 'requester' ? 0 : random.below(nodes), fault: lie }],
    roles: Array.from({ length: nodes }, (_, index) => roleOf(random, faults, index)),
    needs: Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, (_, index) =>
      needOf(random, nodes, index)
    ),
    updates: [],
    endMs,
    disturbances: drawDisturbances(random, faults, { nodes, endMs })
  }
  return withMore(plan, { seed, allowed, chance: isCalm ? 0 : chance })
}

type Drawn = Omit<Plan, 'reforms' | 'dayLater'>

/** What came later than the rest of the plan has a generator of its own: the seeds before it stay what they were. */
function withMore(
  plan: Drawn,
  given: { readonly seed: number; readonly allowed: readonly FaultName[]; readonly chance: number }
): Plan {
  const random = seededRandom(given.seed ^ LATER_DRAWS)
  const { nodes, needs, settings } = plan
  // Who asks for certain faults wants those and nothing besides.
  const isOpen = given.allowed === FAULT_NAMES
  const isSealer = random.chance(given.chance) && given.allowed.includes('sealer')
  const liarsMax = settings.groupSize === 7 ? 2 : 1
  const second = { node: 1 + random.below(nodes - 1), fault: 'sealer' as const }
  const isAdded =
    isSealer && plan.liars.length < liarsMax && plan.liars.every(({ node }) => node !== second.node)
  const reforms = needs.map(({ atMs }, need) => ({ need, atMs: atMs + 200 + random.below(3_000) }))
  return {
    ...plan,
    faults: isAdded ? [...plan.faults, 'sealer'] : plan.faults,
    liars: isAdded ? [...plan.liars, second] : plan.liars,
    reforms: isAdded || (isOpen && random.chance(REFORM_CHANCE)) ? reforms : [],
    dayLater: (isOpen || given.allowed.length === 0) && random.chance(DAY_CHANCE)
  }
}

function settingsOf(random: SeededRandom, nodes: number): Omit<Plan['settings'], 'restMs'> {
  const waits = random.chance(0.5) ? [800, 2_000, 5_000] : [30_000]
  return {
    groupSize: nodes === 7 && random.chance(0.2) ? 7 : 4,
    joinMs: random.pick([800, 2_000, 5_000]),
    awayMs: random.pick(waits),
    stallMs: random.pick(waits),
    lingerMs: random.pick([1_000, 4_000, 60_000])
  }
}

function roleOf(random: SeededRandom, faults: ReadonlySet<FaultName>, index: number): Role {
  const often = (name: FaultName, chance: number): boolean =>
    faults.has(name) && random.chance(chance)
  return {
    works: index === 1 || index === 2 || random.chance(0.2),
    workMs: random.pick([0, 100, 600, 2_500]),
    output: often('bad-work', 0.6) ? 'wrong' : 'right',
    stalls: often('stall', 0.7),
    verdict: often('failed-verifier', 0.4) ? random.pick(['opposite', 'none']) : 'honest',
    slowMs: often('slow-verifier', 0.6) ? 200 + random.below(3_000) : 0,
    challenges: often('noise', 0.4) ? 'everything' : random.pick(['wrong results', 'nothing']),
    cost: 1 + random.below(often('noise', 0.3) ? 200 : 90)
  }
}

function needOf(random: SeededRandom, nodes: number, index: number): PlannedNeed {
  // Two needs about one slot, at once or one after the other, are what promises and tombstones are for.
  const isShared = index > 0 && random.chance(0.4)
  return {
    slot: isShared ? 'slot-0' : `slot-${index}`,
    atMs: index === 0 ? 0 : random.below(random.pick([1_000, 20_000])),
    requester: index === 0 || isShared ? 0 : random.below(nodes),
    expiresMs: 6_000 + random.below(20_000),
    kPlan: 1 + random.below(2),
    kResult: 1 + random.below(2),
    solo: random.chance(0.04),
    bidMs: random.pick([100, 300, 1_000]),
    leaseTtlMs: random.pick([500, 1_000, 3_000]),
    verifyMs: 2_000,
    challengeMs: random.pick([300, 800, 2_000])
  }
}
