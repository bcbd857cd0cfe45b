/**
 * Goal: quorum arithmetic equals a naive model, the log equals a naive model, and no message of any peer makes a member throw, lose a committed
 * entry or hand one out twice. Method: fast-check.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type LogEntry, quorumSize, type RaftMessage } from '../../src/core/raft/index.ts'
import { RaftLog } from '../../src/core/raft/log.ts'
import { agreedIndex, tally } from '../../src/core/raft/quorum.ts'
import { elect, FIVE, log, member, work } from '../support/raft-member.ts'

const ascendingTerms = fc
  .array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 })
  .map(terms => terms.sort((a, b) => a - b))

describe('core/raft/quorum', () => {
  it('any two quorums share a member, and no smaller number would do', () => {
    for (let size = 1; size <= 50; size++) {
      assert.ok(2 * quorumSize(size) > size)
      assert.ok(2 * (quorumSize(size) - 1) <= size)
    }
  })

  it('the agreed index is the highest that a majority holds', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }), held => {
        let naive = 0
        for (let index = 1; index <= 20; index++) {
          const holders = held.filter(match => match >= index).length
          if (holders * 2 > held.length) naive = index
        }
        assert.equal(agreedIndex(held), naive)
      })
    )
  })

  it('an election is won by a majority and lost when one is out of reach', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(true, false, null), { minLength: 1, maxLength: 9 }),
        answers => {
          const votes = new Map(
            answers.flatMap((answer, i) => (answer === null ? [] : [[`m${i}`, answer] as const]))
          )
          const yes = answers.filter(answer => answer === true).length
          const no = answers.filter(answer => answer === false).length
          const naive =
            yes * 2 > answers.length
              ? 'won'
              : (answers.length - no) * 2 > answers.length
                ? 'open'
                : 'lost'
          assert.equal(
            tally(
              votes,
              answers.map((_, i) => `m${i}`)
            ),
            naive
          )
        }
      )
    )
  })
})

describe('core/raft/log', () => {
  it('finds the first index of a term as a linear search does', () => {
    fc.assert(
      fc.property(ascendingTerms, fc.integer({ min: 1, max: 7 }), (terms, term) => {
        const at = terms.findIndex(other => other >= term)
        assert.equal(
          new RaftLog(log(...terms)).firstIndexFromTerm(term),
          (at < 0 ? terms.length : at) + 1
        )
      })
    )
  })

  it('accepts entries as the rules of Figure 2 say', () => {
    fc.assert(
      fc.property(
        ascendingTerms,
        fc.nat(12),
        fc.nat(5),
        ascendingTerms,
        (mine, after, afterTerm, theirs) => {
          const subject = new RaftLog(log(...mine))
          const entries: LogEntry[] = theirs.map((term, i) => ({
            term,
            index: after + 1 + i,
            data: Uint8Array.of(i)
          }))
          const outcome = subject.accept(after, afterTerm, entries)
          const model = naiveAccept(mine, after, afterTerm, theirs)
          assert.equal(outcome, model === null ? 'mismatch' : 'accepted')
          assert.deepEqual(
            subject.slice(1, 99).map(entry => entry.term),
            model ?? mine
          )
        }
      )
    )
  })
})

/** Terms of the log afterwards, or null when the entries are refused. */
function naiveAccept(
  mine: readonly number[],
  after: number,
  afterTerm: number,
  theirs: readonly number[]
): number[] | null {
  const previous = after === 0 ? 0 : mine[after - 1]
  if (previous !== afterTerm) return null
  let result = [...mine]
  for (const [i, term] of theirs.entries()) {
    const at = after + i
    if (result[at] !== undefined && result[at] !== term) result = result.slice(0, at)
    result[at] = term
  }
  return result
}

const number = fc.oneof(
  fc.nat(8),
  fc.nat(8),
  fc.constantFrom(-1, 1.5, Number.NaN, 2 ** 31, 2 ** 52, 2 ** 53, Number.POSITIVE_INFINITY)
)
const entry = fc.record({
  term: number,
  index: number,
  data: fc.constantFrom(new Uint8Array(1), new Uint8Array(0), 'text', null)
})
const inOrder = fc
  .tuple(fc.nat(6), fc.nat(4), fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }))
  .map(([previousIndex, previousTerm, terms]) => ({
    previousIndex,
    previousTerm,
    entries: terms.map((term, i) => ({
      term,
      index: previousIndex + 1 + i,
      data: Uint8Array.of(9)
    }))
  }))
const anyMessage = fc
  .tuple(
    fc.record({
      type: fc.constantFrom(
        'pre-vote',
        'vote',
        'pre-vote-reply',
        'vote-reply',
        'append',
        'append-reply',
        'heartbeat',
        'heartbeat-reply',
        'timeout-now',
        'forward',
        'x'
      ),
      from: fc.constantFrom('b', 'c', 'd', 'e', 'a', 'z'),
      to: fc.constantFrom('a', 'a', 'a', 'b'),
      term: number,
      lastIndex: number,
      lastTerm: number,
      transfer: fc.boolean(),
      granted: fc.boolean(),
      commit: number,
      quiesce: fc.boolean(),
      data: fc.constantFrom(new Uint8Array(1), 'text'),
      success: fc.boolean(),
      matchIndex: number,
      conflictTerm: number,
      previousIndex: number,
      previousTerm: number,
      entries: fc.array(entry, { maxLength: 3 })
    }),
    fc.option(inOrder)
  )
  .map(([fields, ordered]) => ({ ...fields, ...ordered }))

describe('core/raft and arbitrary messages', () => {
  it('never throws, never loses or repeats a committed entry', () => {
    const script = fc.array(
      fc.oneof(anyMessage, fc.constantFrom('tick', 'propose', 'ready', 'advance', 'campaign')),
      { maxLength: 60 }
    )
    fc.assert(
      fc.property(script, fc.boolean(), (inputs, leads) => {
        const raft = member({ members: FIVE, log: log(1, 1, 2, 3), term: 3, commit: 1 })
        if (leads) elect(raft, FIVE)
        else work(raft)
        const handedOut: LogEntry[] = [...raft.entries(1, 1)]
        let isOut = false
        for (const input of inputs) {
          const before = raft.status()
          if (input === 'tick') raft.tick()
          else if (input === 'campaign') raft.campaign()
          else if (input === 'propose') raft.propose(Uint8Array.of(1))
          else if (input === 'ready') {
            const batch = raft.ready()
            isOut ||= batch !== null
            handedOut.push(...(batch?.committed ?? []))
          } else if (input === 'advance') {
            if (isOut) raft.advance()
            isOut = false
          } else raft.step(input as unknown as RaftMessage)
          const after = raft.status()
          assert.ok(
            after.term >= before.term &&
              after.commit >= before.commit &&
              after.commit <= after.lastIndex
          )
          assert.deepEqual(raft.entries(1, handedOut.length), handedOut)
        }
      }),
      { numRuns: 1000 }
    )
  })

  it('never throws on what is not even a message', () => {
    fc.assert(
      fc.property(fc.anything(), value => {
        const raft = member()
        raft.step(value as RaftMessage)
        assert.equal(raft.ready(), null)
      })
    )
  })
})
