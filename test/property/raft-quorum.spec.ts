/**
 * Goal: majority, joint majority, elections and commit are what the paper says, for any configuration. Method: fast-check against two computations that
 * share nothing with the code and with each other: one goes through all subsets of the members, the other counts holders index by index.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Configuration, LogEntry } from '../../src/core/raft/index.ts'
import { jointAgreedIndex, jointTally } from '../../src/core/raft/quorum.ts'
import { appendReply, log, member, work } from '../support/raft-member.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const INDEX_MAX = 12

/** Any configuration of up to seven members, joint or not; old and new voters overlap as they like. */
const configuration: fc.Arbitrary<Configuration> = fc.record({
  voters: fc.subarray(NAMES, { minLength: 1 }),
  outgoing: fc.subarray(NAMES),
  learners: fc.constant([])
})
const held = fc.array(fc.nat(INDEX_MAX), { minLength: NAMES.length, maxLength: NAMES.length })
const answers = fc.array(fc.constantFrom(true, false, null), {
  minLength: NAMES.length,
  maxLength: NAMES.length
})

// --- first: all subsets ---

function subsets(names: readonly string[]): string[][] {
  return Array.from({ length: 2 ** names.length }, (_, bits) =>
    names.filter((_name, i) => (bits >> i) % 2 === 1)
  )
}

const ALL = subsets(NAMES)

/** More inside than outside. */
function isMajority(set: readonly string[], of: readonly string[]): boolean {
  const outside = of.filter(id => !set.includes(id))
  return of.length - outside.length > outside.length
}

function isQuorum(set: readonly string[], { voters, outgoing }: Configuration): boolean {
  return isMajority(set, voters) && (outgoing.length === 0 || isMajority(set, outgoing))
}

function agreedBySubsets(configuration: Configuration, of: (id: string) => number): number {
  const quorums = ALL.filter(set => isQuorum(set, configuration))
  return Math.max(...quorums.map(set => Math.min(...set.map(of))))
}

// --- second: counting ---

function countedMajority(of: readonly string[], says: (id: string) => boolean): boolean {
  let count = 0
  for (const id of of) count += says(id) ? 2 : 0
  return count > of.length
}

function countedQuorum(
  { voters, outgoing }: Configuration,
  says: (id: string) => boolean
): boolean {
  return countedMajority(voters, says) && (outgoing.length === 0 || countedMajority(outgoing, says))
}

function agreedByCounting(configuration: Configuration, of: (id: string) => number): number {
  for (let index = INDEX_MAX; index > 0; index--)
    if (countedQuorum(configuration, id => of(id) >= index)) return index
  return 0
}

describe('core/raft: quorums by three computations', () => {
  it('agree on the highest index that is held', () => {
    fc.assert(
      fc.property(configuration, held, (group, holds) => {
        const of = (id: string): number => holds[NAMES.indexOf(id)] as number
        const agreed = jointAgreedIndex(group, of)
        assert.equal(agreed, agreedBySubsets(group, of))
        assert.equal(agreed, agreedByCounting(group, of))
      }),
      { numRuns: 1000 }
    )
  })

  it('agree on where an election stands', () => {
    fc.assert(
      fc.property(configuration, answers, (group, said) => {
        const votes = new Map(
          NAMES.flatMap((id, i) => (said[i] === null ? [] : [[id, said[i] as boolean] as const]))
        )
        const tally = jointTally(group, votes)
        const yes = NAMES.filter(id => votes.get(id) === true)
        const reachable = NAMES.filter(id => votes.get(id) !== false)
        const inside = (of: readonly string[]) => (set: readonly string[]) =>
          set.every(id => of.includes(id)) && isQuorum(set, group)
        assert.equal(tally === 'won', ALL.some(inside(yes)))
        assert.equal(tally === 'lost', !ALL.some(inside(reachable)))
        assert.equal(
          tally === 'won',
          countedQuorum(group, id => votes.get(id) === true)
        )
        assert.equal(tally === 'lost', !countedQuorum(group, id => votes.get(id) !== false))
      }),
      { numRuns: 1000 }
    )
  })

  it('any two quorums meet, of one configuration and of two neighbours', () => {
    fc.assert(
      fc.property(configuration, group => {
        const before = { ...group, voters: group.outgoing, outgoing: [] }
        const after = { ...group, outgoing: [] }
        const quorumsOf = (of: Configuration): string[][] => ALL.filter(set => isQuorum(set, of))
        const joint = quorumsOf(group)
        const neighbours = group.outgoing.length === 0 ? [after] : [before, group, after]
        for (const neighbour of neighbours)
          for (const set of quorumsOf(neighbour))
            for (const other of joint) assert.ok(set.some(id => other.includes(id)))
      }),
      { numRuns: 25 }
    )
  })

  it('agree on what a leader commits, of its own term only', () => {
    fc.assert(
      fc.property(configuration, held, fc.nat(4), (group, holds, old) => {
        // A leader of term 2: the change, `old` more entries of term 1, one of its own, and others up to INDEX_MAX.
        const first: LogEntry = { term: 1, index: 1, data: new Uint8Array(0), configuration: group }
        const entries = [first, ...log(...new Array<number>(old + 1).fill(1)).slice(1)]
        const raft = member({ members: NAMES, log: entries, term: 1, changesMembers: true })
        for (let i = 0; i < 10; i++) raft.tick()
        const everybody = NAMES.slice(1)
        for (const type of ['pre-vote-reply', 'vote-reply'] as const) {
          work(raft)
          for (const from of everybody) raft.step({ type, from, to: 'a', term: 2, granted: true })
        }
        work(raft)
        while (raft.status().lastIndex < INDEX_MAX) raft.propose(Uint8Array.of(1))
        work(raft)
        fc.pre(raft.status().role === 'leader')
        for (const [i, from] of everybody.entries())
          raft.step(appendReply(from, 2, holds[i + 1] as number))
        // Its own copy is on its disk. Once joint, it moves on; what it appends then nobody holds.
        const of = (id: string): number =>
          id === 'a' ? INDEX_MAX : (holds[NAMES.indexOf(id)] as number)
        const isOwn = (index: number): boolean => index > entries.length
        const expected = [agreedBySubsets(group, of), agreedByCounting(group, of)]
        assert.deepEqual(
          expected.map(index => (isOwn(index) ? index : 0)),
          [raft.status().commit, raft.status().commit]
        )
      }),
      { numRuns: 300 }
    )
  })
})
