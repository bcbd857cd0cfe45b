/**
 * Goal: section 5.4 of the Raft paper, Safety, (Ongaro and Ousterhout, extended version) holds.
 * Method: one test a sentence, on one member and the messages around it. Sections are those of the paper.
 */
import assert from 'node:assert/strict'
import { Raft, type RaftMessage } from '../../../../src/core/raft/index.ts'
import {
  appendReply,
  elect,
  FIVE,
  log,
  member,
  terms,
  voteRequest,
  work
} from '../../../support/raft-member.ts'
import { CommitsOldTermsByCounting } from '../../../support/raft-mutants.ts'

describe('core/raft: 5.4, safety', () => {
  it('5.4.1: a vote is refused to a candidate whose log is less up-to-date', () => {
    const mine = log(1, 2, 2)
    for (const [last, granted] of [
      [[3, 2], true],
      [[4, 2], true],
      [[2, 2], false],
      [[9, 1], false],
      [[1, 3], true],
      [[0, 0], false]
    ] as const) {
      for (const type of ['vote', 'pre-vote'] as const) {
        const raft = member({ log: mine, term: 4 })
        raft.step(voteRequest(type, { term: 5, last }))
        const [reply] = work(raft).messages
        assert.equal(reply && 'granted' in reply && reply.granted, granted, `${type} at ${last}`)
      }
    }
  })

  it('5.4.2: an entry of an earlier term is not committed by counting, but with one of the current term', () => {
    const raft = member({ log: log(1, 2), term: 2 })
    elect(raft)
    work(raft)
    raft.step(appendReply('b', 3, 2))
    assert.equal(raft.status().commit, 0)
    raft.step(appendReply('b', 3, 3))
    assert.equal(raft.status().commit, 3)
  })

  it('5.4.2: Figure 8 does not happen', () => {
    const figure = figure8(init => new Raft(init))
    assert.deepEqual(figure.firstCommitted, [])
    assert.deepEqual(figure.lastCommitted, [1, 3, 5])
  })

  it('5.4.2: Figure 8 would happen if old entries were committed by counting', () => {
    const figure = figure8(init => new CommitsOldTermsByCounting(init))
    assert.deepEqual(figure.firstCommitted, [1, 2])
    assert.deepEqual(figure.lastCommitted, [1, 3, 5])
  })

  it('6.4 (thesis): a new leader appends an empty entry, so that earlier ones commit', () => {
    const raft = member({ log: log(1) })
    elect(raft)
    assert.deepEqual(raft.entries(2, 2), [{ term: 2, index: 2, data: new Uint8Array(0) }])
  })
})

/**
 * Figure 8: S1 (`a`) led term 2 and wrote entry 2 to itself and S2. S5 wrote another entry 2 in term 3 to itself alone. S1 leads
 * term 4 and brings its entry 2 to S3, a majority. It crashes; S5 leads term 5 with votes of S2, S3, S4 and overwrites entry 2.
 */
function figure8(create: NonNullable<Parameters<typeof member>[0]>['create'] & {}): {
  firstCommitted: number[]
  lastCommitted: number[]
} {
  const members = FIVE
  const s1 = member({ id: 'a', members, log: log(1, 2), term: 3, create })
  elect(s1, FIVE)
  work(s1)
  s1.step(appendReply('b', 4, 2))
  s1.step(appendReply('c', 4, 2))
  const firstCommitted = terms(work(s1).committed)

  const s5 = member({ id: 'e', members, log: log(1, 3), term: 4, create })
  const others = ['b', 'c', 'd'].map(id =>
    member({ id, members, log: id === 'd' ? log(1) : log(1, 2), term: 4, create })
  )
  s5.campaign()
  for (let messages = work(s5).messages; messages.length > 0; messages = work(s5).messages) {
    for (const other of others) deliver(messages, other, FIVE[others.indexOf(other) + 1] as string)
    for (const other of others) deliver(work(other).messages, s5, 'e')
    if (s5.status().commit === 3) break
  }
  return { firstCommitted, lastCommitted: terms(s5.entries(1, s5.status().commit)) }
}

function deliver(messages: readonly RaftMessage[], raft: Raft, id: string): void {
  for (const message of messages) if (message.to === id) raft.step(message)
}
