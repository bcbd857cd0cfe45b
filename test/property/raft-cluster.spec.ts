/**
 * Goal: the safety properties of Figure 3 hold whatever the network, the scheduler and crashes do, and the checkers would notice if
 * they did not. Method: seeded random schedules; then the same with deliberately broken members and shells, each of which must be caught.
 */
import assert from 'node:assert/strict'
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
import { settle } from '../support/raft-settling.ts'
import { CALM, WORLDS } from '../support/raft-worlds.ts'

const SIZES = [3, 5, 4, 7, 2, 1]
const SEEDS = 360
const ACTIONS = 8000

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

describe('core/raft in a hostile world', () => {
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

/** Finds the first seed at which a fault breaks one of the expected properties. */
function firstCatch(
  options: Partial<ClusterInit>,
  expected: readonly PropertyName[]
): PropertyName | null {
  for (let seed = 0; seed < 500; seed++) {
    try {
      runSeed(seed, { size: SIZES[seed % 4] as number, ...options })
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      if (expected.includes(error.property)) return error.property
    }
  }
  return null
}

type Mutant = {
  readonly fault: string
  readonly options: Partial<ClusterInit>
  readonly breaks: readonly PropertyName[]
}

const build = (Mutated: new (init: RaftInit) => Raft): Partial<ClusterInit> => ({
  create: init => new Mutated(init),
  watchDurability: false
})
const shell = (fault: ClusterInit['shell'], watchDurability = false): Partial<ClusterInit> =>
  fault === undefined ? {} : { shell: fault, watchDurability }

const COMMITTED_LOST: readonly PropertyName[] = ['leader completeness', 'state machine safety']

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'the vote is not persisted',
    options: shell({ forgetsVote: true }),
    breaks: ['election safety']
  },
  {
    fault: 'the vote is not persisted (seen at the disk)',
    options: shell({ forgetsVote: true }, true),
    breaks: ['durability']
  },
  {
    fault: 'an ack leaves before the entries are persisted',
    options: shell({ sendsFirst: true }),
    breaks: COMMITTED_LOST
  },
  {
    fault: 'an ack leaves before the entries are persisted (seen at the disk)',
    options: shell({ sendsFirst: true }, true),
    breaks: ['durability']
  },
  {
    fault: 'the disk loses what it said was synced',
    options: shell({ losesSynced: true }),
    breaks: COMMITTED_LOST
  },
  {
    fault: 'votes ignore whether the candidate has the log',
    options: build(IgnoresLogsOfCandidates),
    breaks: COMMITTED_LOST
  },
  {
    fault: 'an election is held without a higher term',
    options: build(StandsInOldTerm),
    breaks: ['election safety', 'leader append-only']
  },
  {
    fault: 'a member votes twice in a term',
    options: build(VotesTwice),
    breaks: ['election safety']
  },
  { fault: 'a vote counts twice', options: build(CountsVotesTwice), breaks: ['election safety'] },
  {
    fault: 'a follower commits beyond what matches',
    options: build(CommitsBeyondMatch),
    breaks: ['state machine safety']
  },
  {
    fault: 'a heartbeat commits what the follower may not hold',
    options: build(HeartbeatsUnboundedCommit),
    breaks: ['state machine safety']
  },
  {
    fault: 'an entry of an earlier term is committed by counting',
    options: {
      ...build(CommitsOldTermsByCounting),
      faults: WORLDS.at(-1) as (typeof WORLDS)[number]
    },
    breaks: COMMITTED_LOST
  }
]

describe('the checkers of core/raft', () => {
  for (const { fault, options, breaks } of MUTANTS) {
    it(`notice that ${fault}`, () => {
      assert.notEqual(firstCatch(options, breaks), null)
    })
  }
})
