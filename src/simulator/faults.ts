import type { SeededRandom } from './seeded-random.ts'

/** Everything that can go wrong in a virtual world, by the name that `--faults` takes. */
export const FAULTS = {
  partition: 'nothing passes between two sides of the network, for a while',
  'one-way': 'nothing passes from one node to another, while the other direction works',
  loss: 'messages get lost',
  delay: 'messages take up to seconds',
  duplicate: 'messages arrive twice',
  reorder: 'messages of one link overtake each other',
  crash: 'processes end at any moment, lose what was not synced, and start again',
  torn: 'a crash leaves a prefix of what was not synced',
  'slow-disk': 'an fsync takes up to a second, and crashes fall into it',
  skew: 'clocks differ by seconds',
  drift: 'clocks run at other speeds',
  jump: 'clocks jump forth and back',
  pause: 'processes stand still as under SIGSTOP, while their clocks go on',
  'slow-verifier': 'verifiers answer late',
  'failed-verifier': 'verifiers say nothing, or the opposite of what they find',
  'bad-work': 'workers deliver wrong outputs',
  stall: 'workers hold a lease, do nothing, and commit under the old fence when it has run out',
  noise: 'challengers and bidders without a case',
  forge: 'a Byzantine node replays messages and makes envelopes and certificates up',
  requester: 'a Byzantine requester signs two FORMs for one epoch',
  leader:
    'a Byzantine member votes for everybody and everything, and as leader tells members different logs',
  actor: 'a Byzantine agent says two things with one clock value',
  sealer:
    'a Byzantine member shows in its SEAL another decision than it has locked, and another each time',
  fork: 'a Byzantine agent says two things at one place of its plan updates',
  absentee: 'a Byzantine member, or two, is always there when it is invited, and never joins',
  hasty:
    'a Byzantine requester asks its members to join the next epoch and to leave this one as soon as there is a COMMIT',
  copier: 'somebody says a DECIDE 62 times, each time with another key',
  omitter:
    'a Byzantine member leaves out of the log, as leader, whatever has one of some verbs, and passes nothing of that on'
} as const satisfies Readonly<Record<string, string>>

export type FaultName = keyof typeof FAULTS

export const FAULT_NAMES: readonly FaultName[] = Object.keys(FAULTS) as FaultName[]

/** Lies. A roster of four bears one liar, one of seven two. */
export const BYZANTINE: readonly FaultName[] = [
  'forge',
  'requester',
  'leader',
  'actor',
  'sealer',
  'fork',
  'absentee',
  'hasty',
  'copier',
  'omitter'
]

/** One disturbance: from `atMs` after the start, for `forMs`. */
export type Disturbance = { readonly atMs: number; readonly forMs: number } & (
  | { readonly kind: 'partition'; readonly side: readonly number[]; readonly noticed: boolean }
  | { readonly kind: 'one-way'; readonly from: number; readonly to: number }
  | { readonly kind: 'loss' | 'delay' | 'duplicate'; readonly amount: number }
  | { readonly kind: 'crash'; readonly node: number; readonly torn: boolean }
  | { readonly kind: 'slow-disk'; readonly node: number; readonly fsyncMs: number }
  | { readonly kind: 'skew' | 'jump'; readonly node: number; readonly byMs: number }
  | { readonly kind: 'drift'; readonly node: number; readonly perMille: number }
  | { readonly kind: 'pause'; readonly node: number }
)

/** What a plan of disturbances is drawn for. */
export type Stage = { readonly nodes: number; readonly endMs: number }

/** Draws the disturbances of one world: of each fault some, between the start and `endMs`. */
export function drawDisturbances(
  random: SeededRandom,
  faults: ReadonlySet<FaultName>,
  stage: Stage
): Disturbance[] {
  const drawn: Disturbance[] = []
  const some = (name: FaultName, most: number, draw: (span: Span) => Disturbance): void => {
    if (!faults.has(name)) return
    for (let left = 1 + random.below(most); left > 0; left--)
      drawn.push(draw(spanOf(random, stage)))
  }
  const node = (): number => random.below(stage.nodes)
  some('partition', 3, span => ({
    ...span,
    kind: 'partition',
    side: sideOf(random, stage.nodes),
    noticed: random.chance(0.5)
  }))
  some('one-way', 4, span => ({ ...span, kind: 'one-way', from: node(), to: node() }))
  some('loss', 2, span => ({ ...span, kind: 'loss', amount: random.pick([0.02, 0.1, 0.4]) }))
  some('delay', 2, span => ({ ...span, kind: 'delay', amount: random.pick([100, 500, 2_000]) }))
  some('duplicate', 2, span => ({ ...span, kind: 'duplicate', amount: random.pick([0.1, 0.5]) }))
  some('slow-disk', 4, span => ({
    ...span,
    kind: 'slow-disk',
    node: node(),
    fsyncMs: random.pick([5, 50, 300, 1_000])
  }))
  some('crash', 5, span => ({
    ...span,
    kind: 'crash',
    node: node(),
    torn: faults.has('torn') && random.chance(0.7)
  }))
  some('skew', 3, span => ({ ...span, kind: 'skew', node: node(), byMs: between(random, 3_000) }))
  some('jump', 3, span => ({ ...span, kind: 'jump', node: node(), byMs: between(random, 8_000) }))
  some('drift', 3, span => ({
    ...span,
    kind: 'drift',
    node: node(),
    perMille: between(random, 50)
  }))
  some('pause', 4, span => ({ ...span, kind: 'pause', node: node() }))
  return drawn.sort((a, b) => a.atMs - b.atMs)
}

type Span = { readonly atMs: number; readonly forMs: number }

/** Most fall early, when the group forms and decides, and last a few seconds. */
function spanOf(random: SeededRandom, { endMs }: Stage): Span {
  const atMs = random.below(random.chance(0.6) ? Math.min(endMs, 4_000) : endMs)
  const forMs = 50 + random.below(random.pick([500, 3_000, 10_000]))
  return { atMs, forMs: Math.min(forMs, endMs - atMs) }
}

function sideOf(random: SeededRandom, nodes: number): number[] {
  const side = Array.from({ length: nodes }, (_, index) => index).filter(() => random.chance(0.4))
  return side.length === 0 || side.length === nodes ? [random.below(nodes)] : side
}

function between(random: SeededRandom, most: number): number {
  return random.below(2 * most + 1) - most
}
