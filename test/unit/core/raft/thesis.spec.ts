/**
 * Goal: what Ongaro's thesis adds to the paper holds: pre-vote, check-quorum, leader stickiness, transfer.
 * Method: one test a sentence, on one member and the messages around it. Sections are those of the thesis.
 */
import assert from 'node:assert/strict'
import {
  append,
  appendReply,
  elect,
  FIVE,
  log,
  member,
  only,
  tick,
  voteRequest,
  work
} from '../../../support/raft-member.ts'

const data = Uint8Array.of(7)

describe('core/raft: pre-vote, check-quorum, stickiness (thesis 9.6, 6.2, 4.2.3)', () => {
  it('a pre-candidate enters no term and persists nothing', () => {
    const raft = member({ log: log(1, 2) })
    tick(raft, 10)
    const batch = work(raft)
    assert.equal(batch.hardState, null)
    assert.equal(raft.status().term, 2)
    assert.deepEqual(
      batch.messages.map(({ type, term }) => [type, term]),
      [
        ['pre-vote', 3],
        ['pre-vote', 3]
      ]
    )
  })

  it('a cut-off member returns without having raised the term', () => {
    const raft = member({ log: log(1, 2) })
    for (let i = 0; i < 500; i++) {
      raft.tick()
      work(raft)
    }
    assert.equal(raft.status().term, 2)
    raft.step(append({ term: 2, after: [2, 2] }))
    assert.deepEqual([raft.status().role, raft.status().leader], ['follower', 'b'])
  })

  it('a pre-vote given changes neither term nor vote', () => {
    const raft = member({ log: log(1) })
    raft.step(voteRequest('pre-vote', { from: 'b', term: 2, last: [1, 1] }))
    raft.step(voteRequest('pre-vote', { from: 'c', term: 2, last: [1, 1] }))
    const batch = work(raft)
    assert.equal(batch.hardState, null)
    assert.deepEqual(
      batch.messages.map(reply => [reply.to, reply.term]),
      [
        ['b', 2],
        ['c', 2]
      ]
    )
    assert.equal(raft.status().term, 1)
  })

  it('a pre-candidate that a majority supports stands for election', () => {
    const raft = member({ log: log(1) })
    tick(raft, 10)
    raft.step({ type: 'pre-vote-reply', from: 'c', to: 'a', term: 2, granted: true })
    assert.deepEqual([raft.status().role, raft.status().term], ['candidate', 2])
  })

  it('a yes for another term does not count', () => {
    const raft = member({ log: log(1) })
    tick(raft, 10)
    raft.step({ type: 'pre-vote-reply', from: 'c', to: 'a', term: 9, granted: true })
    assert.deepEqual([raft.status().role, raft.status().term], ['pre-candidate', 1])
  })

  it('a member that heard of its leader within the election timeout answers no candidate', () => {
    for (const type of ['vote', 'pre-vote'] as const) {
      const raft = member({ log: log(1) })
      raft.step(append({ from: 'b', term: 1, after: [1, 1] }))
      work(raft)
      tick(raft, 9)
      raft.step(voteRequest(type, { from: 'c', term: 2, last: [1, 1] }))
      assert.deepEqual(work(raft).messages, [])
      assert.equal(raft.status().term, 1)
    }
  })

  it('a leader is not disturbed by candidates', () => {
    const raft = member()
    elect(raft)
    work(raft)
    raft.step(voteRequest('vote', { from: 'c', term: 9, last: [9, 8] }))
    assert.equal(raft.status().role, 'leader')
  })

  it('a leader without contact to a majority for an election timeout steps down', () => {
    const raft = member({ members: FIVE })
    elect(raft, FIVE)
    for (let i = 0; i < 40; i++) {
      raft.tick()
      for (const from of ['b', 'c']) raft.step({ type: 'heartbeat-reply', from, to: 'a', term: 1 })
      work(raft)
    }
    assert.equal(raft.status().role, 'leader')
    for (let i = 0; i < 11; i++) {
      raft.tick()
      raft.step({ type: 'heartbeat-reply', from: 'b', to: 'a', term: 1 })
    }
    assert.deepEqual([raft.status().role, raft.status().leader], ['follower', null])
  })
})

describe('core/raft: leadership transfer (thesis 3.10)', () => {
  it('the leader urges a successor that holds the whole log, and takes no proposals meanwhile', () => {
    const raft = member()
    elect(raft)
    work(raft)
    assert.equal(raft.transferTo('b'), null)
    assert.equal(raft.propose(data), 'transferring')
    assert.deepEqual(work(raft).messages, [])
    raft.step(appendReply('b', 1, 1))
    raft.step(appendReply('b', 1, 1))
    assert.equal(only(work(raft).messages, 'timeout-now').to, 'b')
  })

  it('a transfer that does not happen within an election timeout is given up', () => {
    const raft = member()
    elect(raft)
    raft.transferTo('c')
    for (let i = 0; i < 10; i++) {
      raft.tick()
      raft.step({ type: 'heartbeat-reply', from: 'b', to: 'a', term: 1 })
    }
    assert.equal(raft.propose(data), null)
  })

  it('a leader that lost its office meanwhile has no transfer left when it leads again', () => {
    const raft = member()
    elect(raft)
    raft.transferTo('c')
    raft.step(append({ from: 'b', term: 2, after: [0, 0] }))
    elect(raft)
    assert.equal(raft.propose(data), null)
  })

  it('the successor stands at once, and members that have a leader hear it', () => {
    const raft = member({ log: log(1) })
    raft.step(append({ term: 1, after: [1, 1] }))
    work(raft)
    raft.step({ type: 'timeout-now', from: 'b', to: 'a', term: 1 })
    assert.equal(raft.status().role, 'candidate')
    const asked = work(raft).messages.map(message => message.type === 'vote' && message.transfer)
    assert.deepEqual(asked, [true, true])

    const other = member({ log: log(1) })
    other.step(append({ term: 1, after: [1, 1] }))
    work(other)
    other.step(voteRequest('vote', { from: 'c', term: 2, last: [1, 1], transfer: true }))
    assert.equal(only(work(other).messages, 'vote-reply').granted, true)
  })

  it('only the leader may urge', () => {
    const raft = member({ log: log(1) })
    raft.step(append({ from: 'b', term: 1, after: [1, 1] }))
    raft.step({ type: 'timeout-now', from: 'c', to: 'a', term: 1 })
    assert.equal(raft.status().role, 'follower')
  })

  it('a transfer is refused to strangers and by members that do not lead', () => {
    const raft = member()
    assert.equal(raft.transferTo('b'), 'not-leader')
    elect(raft)
    assert.equal(raft.transferTo('x'), 'not-member')
  })
})
