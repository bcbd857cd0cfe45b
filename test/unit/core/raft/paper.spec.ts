/**
 * Goal: every safety sentence of the Raft paper (Ongaro and Ousterhout, extended version; "thesis" where only that has it) holds.
 * Method: one test a sentence, on one member and the messages around it. Sections are those of the paper.
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
  terms,
  tick,
  voteRequest,
  work
} from '../../../support/raft-member.ts'

const data = Uint8Array.of(7)

describe('core/raft: Figure 2, all servers', () => {
  it('5.1: a server that sees a larger term takes it over and becomes a follower', () => {
    for (const type of ['append', 'vote'] as const) {
      const raft = member({ log: log(1) })
      elect(raft)
      assert.equal(raft.status().role, 'leader')
      raft.step(
        type === 'append'
          ? append({ term: 9, after: [1, 1] })
          : voteRequest('vote', { term: 9, last: [9, 8], transfer: true })
      )
      assert.equal(raft.status().role, 'follower')
      assert.equal(raft.status().term, 9)
      assert.equal(work(raft).hardState?.term, 9)
    }
  })

  it('5.1: a request with a stale term is refused and its sender told the newer one', () => {
    const raft = member({ log: log(1, 3), term: 3 })
    raft.step(append({ term: 2, after: [1, 1] }, 2))
    raft.step(voteRequest('vote', { from: 'c', term: 2, last: [9, 1] }))
    raft.step(voteRequest('pre-vote', { from: 'c', term: 2, last: [9, 1] }))
    const { messages } = work(raft)
    assert.deepEqual(
      messages.map(({ type, to, term }) => [type, to, term]),
      [
        ['append-reply', 'b', 3],
        ['vote-reply', 'c', 3],
        ['pre-vote-reply', 'c', 3]
      ]
    )
    assert.deepEqual(terms(raft.entries(1, 9)), [1, 3])
  })

  it('a leader of a stale term steps down when it is told', () => {
    const raft = member()
    elect(raft)
    raft.step({
      type: 'append-reply',
      from: 'b',
      to: 'a',
      term: 5,
      success: false,
      matchIndex: 0,
      conflictTerm: 0
    })
    assert.deepEqual([raft.status().role, raft.status().term], ['follower', 5])
  })

  it('committed entries are handed out in log order, once', () => {
    const raft = member({ log: log(1, 1, 1, 1) })
    raft.step(append({ term: 1, after: [4, 1], commit: 2 }))
    assert.deepEqual(
      work(raft).committed.map(entry => entry.index),
      [1, 2]
    )
    raft.step(append({ term: 1, after: [4, 1], commit: 4 }))
    raft.step(append({ term: 1, after: [4, 1], commit: 3 }))
    assert.deepEqual(
      work(raft).committed.map(entry => entry.index),
      [3, 4]
    )
  })
})

describe('core/raft: 5.2, leader election', () => {
  it('a server starts as a follower', () => {
    assert.equal(member().status().role, 'follower')
    assert.equal(member({ log: log(1, 2), vote: 'a' }).status().role, 'follower')
  })

  it('a follower that hears of no leader for the election timeout stands for election', () => {
    const raft = member({ log: log(1) })
    tick(raft, 9)
    assert.equal(raft.status().role, 'follower')
    tick(raft, 1)
    assert.equal(raft.status().role, 'pre-candidate')
  })

  it('a follower that hears of its leader does not', () => {
    const raft = member({ log: log(1) })
    for (let i = 0; i < 50; i++) {
      tick(raft, 9)
      assert.equal(raft.status().role, 'follower')
      raft.step({ type: 'heartbeat', from: 'b', to: 'a', term: 1, commit: 0, quiesce: false })
    }
    assert.equal(raft.status().role, 'follower')
  })

  it('a candidate enters a higher term, votes for itself, and asks all others', () => {
    const raft = member({ members: FIVE })
    raft.campaign()
    const batch = work(raft)
    assert.deepEqual(batch.hardState, { term: 1, vote: 'a', commit: 0 })
    assert.equal(batch.mustSync, true)
    assert.deepEqual(
      batch.messages.map(({ type, to, term }) => [type, to, term]),
      [
        ['vote', 'b', 1],
        ['vote', 'c', 1],
        ['vote', 'd', 1],
        ['vote', 'e', 1]
      ]
    )
  })

  it('a candidate wins with votes of a majority and not before', () => {
    for (const [grants, role] of [
      [[], 'candidate'],
      [['b'], 'candidate'],
      [['b', 'b', 'b'], 'candidate'],
      [['b', 'c'], 'leader']
    ] as const) {
      const raft = member({ members: FIVE })
      raft.campaign()
      work(raft)
      for (const from of grants)
        raft.step({ type: 'vote-reply', from, to: 'a', term: 1, granted: true })
      assert.equal(raft.status().role, role, `votes of ${grants}`)
    }
  })

  it('votes of other terms and of strangers do not count', () => {
    const raft = member({ members: FIVE, log: log(1, 2) })
    elect(raft, ['a', 'b', 'c'].slice(0, 1))
    raft.campaign()
    for (const from of ['b', 'c'])
      raft.step({ type: 'pre-vote-reply', from, to: 'a', term: 3, granted: true })
    work(raft)
    assert.equal(raft.status().role, 'candidate')
    raft.step({ type: 'vote-reply', from: 'b', to: 'a', term: 2, granted: true })
    raft.step({ type: 'vote-reply', from: 'c', to: 'a', term: 1, granted: true })
    raft.step({ type: 'vote-reply', from: 'x', to: 'a', term: 3, granted: true })
    raft.step({ type: 'vote-reply', from: 'y', to: 'a', term: 3, granted: true })
    assert.equal(raft.status().role, 'candidate')
  })

  it('a candidate counts its own vote only after the vote is on disk', () => {
    const raft = member({ members: ['a'] })
    raft.campaign()
    const batch = raft.ready()
    assert.equal(raft.status().role, 'candidate')
    assert.deepEqual(batch?.hardState, { term: 1, vote: 'a', commit: 0 })
    raft.advance()
    assert.equal(raft.status().role, 'leader')
  })

  it('a vote of an earlier candidacy that is on disk by now does not count in a later one', () => {
    const raft = member({ members: ['a'] })
    raft.campaign()
    raft.ready()
    tick(raft, 10)
    assert.equal(raft.status().term, 2)
    raft.advance()
    assert.equal(raft.status().role, 'candidate')
    work(raft)
    assert.equal(raft.status().role, 'leader')
  })

  it('each server votes for at most one candidate in a term, first come first served', () => {
    const raft = member()
    raft.step(voteRequest('vote', { from: 'b', term: 1, last: [0, 0] }))
    raft.step(voteRequest('vote', { from: 'c', term: 1, last: [0, 0] }))
    raft.step(voteRequest('vote', { from: 'b', term: 1, last: [0, 0] }))
    const replies = work(raft).messages.map(reply => [
      reply.to,
      reply.type === 'vote-reply' && reply.granted
    ])
    assert.deepEqual(replies, [
      ['b', true],
      ['c', false],
      ['b', true]
    ])
  })

  it('a server that knows the leader of a term votes for no one else in it', () => {
    const raft = member()
    raft.step(append({ from: 'b', term: 1, after: [0, 0] }))
    work(raft)
    raft.step(voteRequest('vote', { from: 'c', term: 1, last: [0, 0], transfer: true }))
    assert.equal(only(work(raft).messages, 'vote-reply').granted, false)
  })

  it('the vote is in the batch of the reply, to be synced first', () => {
    const raft = member()
    raft.step(voteRequest('vote', { term: 1, last: [0, 0] }))
    const batch = raft.ready()
    assert.deepEqual(batch?.hardState, { term: 1, vote: 'b', commit: 0 })
    assert.equal(batch?.mustSync, true)
    assert.equal(batch?.messages.length, 1)
  })

  it('a restarted server remembers its vote', () => {
    const raft = member({ term: 1, vote: 'c' })
    raft.step(voteRequest('vote', { from: 'b', term: 1, last: [0, 0] }))
    assert.equal(only(work(raft).messages, 'vote-reply').granted, false)
  })

  it('a candidate that hears of a leader of its term becomes its follower', () => {
    const raft = member()
    raft.campaign()
    work(raft)
    raft.step(append({ term: 1, after: [0, 0] }, 1))
    assert.deepEqual([raft.status().role, raft.status().leader], ['follower', 'b'])
  })

  it('a candidate ignores a leader of an older term', () => {
    const raft = member({ term: 4 })
    elect(raft, ['a'])
    raft.step({ type: 'pre-vote-reply', from: 'b', to: 'a', term: 5, granted: true })
    assert.equal(raft.status().role, 'candidate')
    raft.step(append({ term: 4, after: [0, 0] }, 4))
    assert.deepEqual(
      [raft.status().role, raft.status().term, raft.status().lastIndex],
      ['candidate', 5, 0]
    )
  })

  it('a candidate that wins nothing tries again after another timeout', () => {
    const raft = member()
    raft.campaign()
    work(raft)
    tick(raft, 10)
    assert.equal(raft.status().role, 'pre-candidate')
  })

  it('election timeouts are drawn anew between min and twice min', () => {
    const seen = new Set<number>()
    let drawn = 0
    const raft = member({ random: below => drawn++ % below })
    for (let i = 0; i < 20; i++) {
      raft.step(append({ term: i + 1, after: [0, 0] }))
      let ticks = 0
      for (; raft.status().role === 'follower'; ticks++) raft.tick()
      seen.add(ticks)
    }
    assert.deepEqual([Math.min(...seen), Math.max(...seen)], [10, 19])
    assert.ok(seen.size >= 5)
  })

  it('a leader sends heartbeats to all others', () => {
    const raft = member()
    elect(raft)
    work(raft)
    raft.tick()
    const sent = work(raft).messages.filter(message => message.type === 'heartbeat')
    assert.deepEqual(
      sent.map(message => message.to),
      ['b', 'c']
    )
  })
})

describe('core/raft: 5.3, log replication', () => {
  it('a leader appends a proposal to its log and sends it to all others', () => {
    const raft = member()
    elect(raft)
    for (const from of ['b', 'c']) raft.step(appendReply(from, 1, 1))
    work(raft)
    assert.equal(raft.propose(data), null)
    const batch = work(raft)
    assert.deepEqual(batch.entries, [{ term: 1, index: 2, data }])
    const sent = batch.messages.filter(message => message.type === 'append')
    assert.deepEqual(
      sent.map(message => [message.to, message.previousIndex, message.previousTerm]),
      [
        ['b', 1, 1],
        ['c', 1, 1]
      ]
    )
  })

  it('a server that does not lead takes no proposal', () => {
    assert.equal(member().propose(data), 'not-leader')
  })

  it('an entry is committed once a majority holds it', () => {
    const raft = member({ members: FIVE })
    elect(raft, FIVE)
    work(raft)
    raft.step(appendReply('b', 1, 1))
    assert.equal(raft.status().commit, 0)
    raft.step(appendReply('c', 1, 1))
    assert.equal(raft.status().commit, 1)
    assert.deepEqual(
      work(raft).committed.map(entry => entry.index),
      [1]
    )
  })

  it('the leader counts its own copy only after it is on its disk', () => {
    const raft = member()
    raft.campaign()
    work(raft)
    raft.step({ type: 'vote-reply', from: 'b', to: 'a', term: 1, granted: true })
    assert.equal(raft.status().role, 'leader')
    raft.ready()
    raft.step(appendReply('b', 1, 1))
    assert.equal(raft.status().commit, 0)
    raft.advance()
    assert.equal(raft.status().commit, 1)
  })

  it('followers learn what is committed', () => {
    const raft = member({ log: log(1, 1, 1) })
    raft.step(append({ term: 1, after: [3, 1], commit: 3 }))
    assert.equal(raft.status().commit, 3)
  })

  it('a follower commits no further than the last entry that the leader vouched for', () => {
    // Entries 2 and 3 are of an old branch that this append did not reach.
    const raft = member({ log: log(1, 2, 2), term: 3 })
    raft.step(append({ term: 3, after: [1, 1], commit: 3 }))
    assert.equal(raft.status().commit, 1)
  })

  it('commit never goes back', () => {
    const raft = member({ log: log(1, 1, 1), commit: 3 })
    raft.step(append({ term: 1, after: [3, 1], commit: 1 }))
    raft.step({ type: 'heartbeat', from: 'b', to: 'a', term: 1, commit: 0, quiesce: false })
    assert.equal(raft.status().commit, 3)
  })

  it('a follower refuses entries when it lacks the one before them', () => {
    for (const [after, expected] of [
      [[4, 3], { matchIndex: 3, conflictTerm: 0 }],
      [[3, 3], { matchIndex: 1, conflictTerm: 2 }]
    ] as const) {
      const raft = member({ log: log(1, 2, 2), term: 3 })
      raft.step(append({ term: 3, after }, 3))
      const { success, matchIndex, conflictTerm } = only(work(raft).messages, 'append-reply')
      assert.deepEqual({ success, matchIndex, conflictTerm }, { success: false, ...expected })
      assert.deepEqual(terms(raft.entries(1, 9)), [1, 2, 2])
    }
  })

  it('an entry that conflicts is deleted with all that follow it', () => {
    const raft = member({ log: log(1, 2, 2, 2), term: 3 })
    raft.step(append({ term: 3, after: [1, 1] }, 3))
    const batch = work(raft)
    assert.deepEqual(terms(raft.entries(1, 9)), [1, 3])
    assert.deepEqual(
      batch.entries.map(entry => entry.index),
      [2]
    )
    assert.equal(batch.mustSync, true)
  })

  it('a late append that holds a prefix deletes nothing', () => {
    const raft = member({ log: log(1, 1, 1), term: 1 })
    raft.step(append({ term: 1, after: [0, 0] }, 1))
    assert.deepEqual(terms(raft.entries(1, 9)), [1, 1, 1])
    assert.equal(only(work(raft).messages, 'append-reply').matchIndex, 1)
  })

  it('the acknowledgement is in the batch of the entries, to be synced first', () => {
    const raft = member()
    raft.step(append({ term: 1, after: [0, 0] }, 1, 1))
    const batch = raft.ready()
    assert.deepEqual(terms(batch?.entries ?? []), [1, 1])
    assert.equal(batch?.mustSync, true)
    assert.equal(only(batch?.messages ?? [], 'append-reply').matchIndex, 2)
  })

  it('the leader never overwrites or deletes its own entries', () => {
    const raft = member({ log: log(1, 1) })
    elect(raft)
    const before = raft.entries(1, 9)
    raft.step(append({ term: 2, after: [1, 1] }, 2, 2))
    assert.deepEqual(raft.entries(1, 9), before)
  })

  it('the leader goes back to where the logs agree and brings the follower up to its own log', () => {
    // The follower of Figure 7 (f): terms 2 and 3 that no leader knows.
    const leader = member({
      id: 'a',
      members: ['a', 'b'],
      log: log(1, 1, 1, 4, 4, 5, 5, 6, 6, 6),
      term: 7
    })
    const follower = member({
      id: 'b',
      members: ['a', 'b'],
      log: log(1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
      term: 7
    })
    // Only the logs matter here, not the vote.
    elect(leader, ['a', 'b'])
    let rounds = 0
    // The first probe was lost; a heartbeat brings it again.
    leader.tick()
    for (let messages = work(leader).messages; messages.length > 0; rounds++) {
      for (const message of messages) follower.step(message)
      for (const message of work(follower).messages) leader.step(message)
      messages = work(leader).messages
    }
    assert.deepEqual(follower.entries(1, 99), leader.entries(1, 99))
    assert.equal(leader.status().commit, 11)
    assert.ok(rounds <= 6, `${rounds} rounds`)
  })
})
