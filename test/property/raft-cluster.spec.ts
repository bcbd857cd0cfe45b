/**
 * Goal: the safety properties of Figure 3 hold whatever the network, the scheduler and crashes do, and the checkers would notice if
 * they did not. Method: seeded random schedules; then the same with deliberately broken members and shells, each of which must be caught.
 */
import assert from 'node:assert/strict'
import { AssertionError } from '../../src/core/base/index.ts'
import type { Raft, RaftInit } from '../../src/core/raft/index.ts'
import { type ClusterInit, RaftCluster } from '../support/raft-cluster.ts'
import { type PropertyName, Violation } from '../support/raft-monitor.ts'
import {
  CommitsBeyondMatch,
  CommitsOldTermsByCounting,
  CountsVotesTwice,
  HeartbeatsUnboundedCommit,
  IgnoresLogsOfCandidates,
  StandsInOldTerm,
  VotesTwice
} from '../support/raft-mutants.ts'
import {
  ChangesWithoutJoint,
  ConfiguresAtCommit,
  CountsLearners,
  InstallsOldSnapshots,
  JointNeedsOneMajority,
  LeadsAsleep,
  LeavesJointEarly,
  NeverWakes,
  SleepsTooEarly,
  SnapshotsWithoutConfiguration
} from '../support/raft-mutants-of-groups.ts'
import { settle } from '../support/raft-settling.ts'
import { CALM, CHURN, DROWSY, FORGETFUL, HEAVY, SPLIT, WORLDS } from '../support/raft-worlds.ts'

const SIZES = [3, 5, 4, 7, 2, 1]
const SEEDS = 360
/** Seconds of computing, on a machine that does other things too. */
const TIMEOUT_MS = 120_000
const ACTIONS = 8000
/** Some faults need time to do harm. */
const LONG = 20_000

function runSeed(seed: number, options: Partial<ClusterInit> = {}, actions = ACTIONS): RaftCluster {
  const cluster = new RaftCluster({ seed, size: SIZES[seed % SIZES.length] as number, ...options })
  try {
    for (let i = 0; i < actions; i++) cluster.act()
    settle(cluster)
  } catch (error) {
    if (error instanceof Error) error.message += ` [seed ${seed}, ${actions} actions]`
    throw error
  }
  return cluster
}

describe('core/raft in a hostile world', function () {
  this.timeout(TIMEOUT_MS)
  it(`keeps every property over ${SEEDS} seeds`, () => {
    let [committed, leaders] = [0, 0]
    const counts = { installs: 0, changes: 0, forwarded: 0, slept: 0, woken: 0 }
    for (let seed = 0; seed < SEEDS; seed++) {
      const { monitor } = runSeed(seed)
      committed += monitor.committedCount
      leaders += monitor.leaderCount
      for (const what of Object.keys(counts) as (keyof typeof counts)[])
        counts[what] += monitor.counts[what]
    }
    // A harness in which nothing happens proves nothing.
    assert.ok(committed > 20 * SEEDS, `${committed} entries were committed`)
    assert.ok(leaders > 3 * SEEDS, `${leaders} leaders were elected`)
    for (const [what, least] of [
      ['installs', 0.5],
      ['changes', 1],
      ['forwarded', 4],
      ['slept', 2],
      ['woken', 0.1]
    ] as const)
      assert.ok(counts[what] > least * SEEDS, `${what}: ${counts[what]}`)
  })

  it('commits for as long as it runs when nothing fails', () => {
    const { monitor } = runSeed(7, { size: 4, faults: CALM })
    assert.ok(monitor.committedCount > 100, `${monitor.committedCount} entries were committed`)
  })

  it('gives the same run for the same seed', () => {
    const [first, second] = [runSeed(11), runSeed(11)]
    assert.equal(first.digest(), second.digest())
    assert.notEqual(first.digest(), runSeed(17).digest())
  })
})

type Mutant = {
  readonly fault: string
  readonly options: Partial<ClusterInit>
  /** What it may break; an assertion of the member itself is as good as a checker. */
  readonly breaks: readonly (PropertyName | 'assertion')[]
  /** Seeds within which it is caught; about three times what it takes today. */
  readonly within: number
  readonly actions?: number
}

/** The first seed at which a fault breaks one of the expected properties. */
function firstCatch({ options, breaks, within, actions }: Mutant): number | null {
  for (let seed = 0; seed < within; seed++) {
    try {
      runSeed(seed, { size: SIZES[seed % 4] as number, ...options }, actions ?? ACTIONS)
    } catch (error) {
      const broken = brokenBy(error)
      if (broken === null) throw error
      if (breaks.includes(broken)) return seed
    }
  }
  return null
}

function brokenBy(error: unknown): PropertyName | 'assertion' | null {
  if (error instanceof Violation) return error.property
  return error instanceof AssertionError ? 'assertion' : null
}

const build = (Mutated: new (init: RaftInit) => Raft): Partial<ClusterInit> => ({
  create: init => new Mutated(init),
  watchDurability: false
})
const shell = (fault: ClusterInit['shell'], watchDurability = false): Partial<ClusterInit> =>
  fault === undefined ? {} : { shell: fault, watchDurability }

const COMMITTED_LOST: readonly PropertyName[] = ['leader completeness', 'state machine safety']
/** Two majorities decided without each other. */
const SPLIT_BRAIN: readonly PropertyName[] = [...COMMITTED_LOST, 'election safety']

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'the vote is not persisted',
    options: shell({ forgetsVote: true }),
    breaks: ['election safety'],
    within: 50
  },
  {
    fault: 'the vote is not persisted (seen at the disk)',
    options: shell({ forgetsVote: true }, true),
    breaks: ['durability'],
    within: 5
  },
  {
    fault: 'an ack leaves before the entries are persisted',
    options: shell({ sendsFirst: true }),
    breaks: COMMITTED_LOST,
    within: 250
  },
  {
    fault: 'an ack leaves before the entries are persisted (seen at the disk)',
    options: shell({ sendsFirst: true }, true),
    breaks: ['durability'],
    within: 5
  },
  {
    fault: 'the disk loses what it said was synced',
    options: shell({ losesSynced: true }),
    breaks: COMMITTED_LOST,
    within: 25
  },
  {
    fault: 'votes ignore whether the candidate has the log',
    options: build(IgnoresLogsOfCandidates),
    breaks: COMMITTED_LOST,
    within: 25
  },
  {
    fault: 'an election is held without a higher term',
    options: build(StandsInOldTerm),
    breaks: ['election safety', 'leader append-only'],
    within: 50
  },
  {
    fault: 'a member votes twice in a term',
    options: build(VotesTwice),
    breaks: ['election safety'],
    within: 50
  },
  {
    fault: 'a vote counts twice',
    options: build(CountsVotesTwice),
    breaks: ['election safety'],
    within: 50
  },
  {
    fault: 'a follower commits beyond what matches',
    options: build(CommitsBeyondMatch),
    breaks: ['state machine safety'],
    within: 50
  },
  {
    fault: 'a heartbeat commits what the follower may not hold',
    options: build(HeartbeatsUnboundedCommit),
    breaks: ['state machine safety'],
    within: 25
  },
  {
    fault: 'an entry of an earlier term is committed by counting',
    options: {
      ...build(CommitsOldTermsByCounting),
      size: 3,
      habits: HEAVY,
      faults: WORLDS.at(-1) as (typeof WORLDS)[number]
    },
    breaks: COMMITTED_LOST,
    within: 100,
    actions: LONG
  },
  {
    fault: 'a late snapshot takes the place of a newer log',
    options: { ...build(InstallsOldSnapshots), habits: FORGETFUL },
    breaks: ['assertion', 'hand-out', ...COMMITTED_LOST],
    within: 100,
    actions: LONG
  },
  {
    fault: 'a snapshot does not say who takes part',
    options: { ...build(SnapshotsWithoutConfiguration), habits: { ...CHURN, snapshot: 0.02 } },
    breaks: SPLIT_BRAIN,
    within: 50,
    actions: LONG
  },
  {
    fault: 'the new voters decide alone while both sets must agree',
    options: { ...build(JointNeedsOneMajority), habits: CHURN, faults: SPLIT },
    breaks: SPLIT_BRAIN,
    within: 50,
    actions: LONG
  },
  {
    fault: 'the joint configuration is left before it is committed',
    options: { ...build(LeavesJointEarly), habits: CHURN, faults: SPLIT },
    breaks: SPLIT_BRAIN,
    within: 100,
    actions: LONG
  },
  {
    fault: 'voters change without a joint configuration',
    options: { ...build(ChangesWithoutJoint), habits: CHURN, faults: SPLIT },
    breaks: SPLIT_BRAIN,
    within: 100
  },
  {
    fault: 'those who only learn decide',
    options: { ...build(CountsLearners), habits: CHURN, faults: SPLIT },
    breaks: [...SPLIT_BRAIN, 'liveness'],
    within: 100,
    actions: LONG
  },
  {
    fault: 'a configuration is used only once it is committed',
    options: { ...build(ConfiguresAtCommit), habits: CHURN, faults: SPLIT },
    breaks: [...SPLIT_BRAIN, 'liveness'],
    within: 50,
    actions: LONG
  },
  {
    fault: 'a member never wakes',
    options: { ...build(NeverWakes), habits: DROWSY },
    breaks: ['liveness'],
    within: 5
  },
  {
    fault: 'a sleeping leader does not show itself',
    options: { ...build(LeadsAsleep), habits: DROWSY },
    breaks: ['quiescence'],
    within: 5
  },
  {
    fault: 'a group is sent to sleep before all have everything',
    options: { ...build(SleepsTooEarly), habits: DROWSY },
    breaks: ['quiescence', 'state machine safety'],
    within: 100,
    actions: LONG
  }
]

describe('the checkers of core/raft', function () {
  this.timeout(TIMEOUT_MS)
  for (const mutant of MUTANTS) {
    it(`notice within ${mutant.within} seeds that ${mutant.fault}`, () => {
      assert.notEqual(firstCatch(mutant), null)
    })
  }
})
