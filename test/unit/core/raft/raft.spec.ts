/**
 * Goal: the contract with the caller (batches, restart, flow control) and what hostile messages cannot do.
 * Method: one member, driven by hand; fast-check for messages.
 */
import assert from 'node:assert/strict'
import {
  ENTRY_BYTES_MAX,
  isRaftMessage,
  Raft,
  type RaftMessage,
  RaftRestoreError,
  replayBatch
} from '../../../../src/core/raft/index.ts'
import {
  APPEND_ENTRIES_MAX,
  COMMITTED_PER_READY_MAX,
  INFLIGHT_APPENDS_MAX,
  OUTBOX_MESSAGES_MAX,
  TERM_JUMP_MAX,
  UNCOMMITTED_ENTRIES_MAX
} from '../../../../src/core/raft/limits.ts'
import {
  append,
  appendReply,
  elect,
  log,
  member,
  only,
  terms,
  tick,
  voteRequest,
  work
} from '../../../support/raft-member.ts'

const data = Uint8Array.of(7)

describe('core/raft: a group of one', () => {
  it('leads and commits at once', () => {
    const raft = new Raft({
      id: 'a',
      members: ['a'],
      electionTicksMin: 10,
      heartbeatTicks: 1,
      random: () => 0
    })
    raft.campaign()
    assert.deepEqual(terms(work(raft).committed), [1])
    assert.equal(raft.propose(data), null)
    assert.deepEqual(work(raft).committed, [{ term: 1, index: 2, data }])
  })

  it('leads again after a restart, by its timer alone', () => {
    const raft = member({ members: ['a'], log: log(1, 1), vote: 'a', commit: 2 })
    assert.equal(work(raft).committed.length, 2)
    tick(raft, 10)
    assert.deepEqual(
      work(raft).committed.map(entry => [entry.term, entry.index]),
      [[2, 3]]
    )
    assert.deepEqual(raft.status(), {
      role: 'leader',
      term: 2,
      leader: 'a',
      commit: 3,
      firstIndex: 1,
      lastIndex: 3,
      quiescent: false
    })
  })
})

describe('core/raft: batches', () => {
  it('has no batch when there is nothing to do', () => {
    assert.equal(member().ready(), null)
  })

  it('gives the next batch only after the last one was advanced', () => {
    const raft = member()
    raft.step(append({ term: 1, after: [0, 0] }, 1))
    assert.notEqual(raft.ready(), null)
    raft.step(append({ term: 1, after: [1, 1] }, 1))
    assert.equal(raft.ready(), null)
    raft.advance()
    assert.deepEqual(
      raft.ready()?.entries.map(entry => entry.index),
      [2]
    )
  })

  it('asserts that advance follows ready', () => {
    assert.throws(() => member().advance(), { code: 'ASSERTION' })
  })

  it('gives entries again that were replaced while they were written', () => {
    const raft = member()
    raft.step(append({ term: 1, after: [0, 0] }, 1, 1, 1))
    raft.ready()
    raft.step(append({ from: 'c', term: 2, after: [1, 1] }, 2))
    raft.advance()
    assert.deepEqual(
      raft.ready()?.entries.map(entry => [entry.index, entry.term]),
      [[2, 2]]
    )
  })

  it('speaks in its commit of entries of the same batch, which are written first', () => {
    const before = { log: log(1, 2), term: 3, commit: 1 }
    const raft = member(before)
    raft.step(append({ term: 3, after: [1, 1], commit: 2 }, 3))
    const batch = raft.ready()
    assert.deepEqual([batch?.hardState?.commit, terms(batch?.entries ?? [])], [2, [3]])
    // A torn tail that kept the commit alone would commit what the old branch has there.
    const torn = member({ ...before, commit: 2 })
    assert.deepEqual(terms(work(torn).committed), [1, 2])
    const stored = [...before.log]
    replayBatch(stored, batch?.entries ?? [])
    assert.deepEqual(terms(work(member({ ...before, log: stored, commit: 2 })).committed), [1, 3])
  })

  it('asks for no sync when only commit moved', () => {
    const raft = member({ log: log(1) })
    raft.step(append({ term: 1, after: [1, 1], commit: 1 }))
    const batch = raft.ready()
    assert.equal(batch?.mustSync, false)
    assert.equal(batch?.hardState?.commit, 1)
  })

  it('puts proposals made between two batches into one append for each follower', () => {
    const raft = member()
    elect(raft)
    for (const from of ['b', 'c']) raft.step(appendReply(from, 1, 1))
    work(raft)
    for (let i = 0; i < 50; i++) raft.propose(data)
    const sent = work(raft).messages.filter(message => message.type === 'append')
    assert.deepEqual(
      sent.map(message => [message.to, message.entries.length]),
      [
        ['b', 50],
        ['c', 50]
      ]
    )
  })

  it('hands out a long log in bounded pieces', () => {
    const count = COMMITTED_PER_READY_MAX + 5
    const raft = member({ log: log(...new Array<number>(count).fill(1)), commit: count })
    assert.equal(raft.ready()?.committed.length, COMMITTED_PER_READY_MAX)
    raft.advance()
    assert.equal(raft.ready()?.committed.length, 5)
  })
})

describe('core/raft: restart', () => {
  it('hands out committed entries again from the beginning', () => {
    const raft = member({ log: log(1, 1, 2), commit: 2 })
    assert.deepEqual(
      work(raft).committed.map(entry => entry.index),
      [1, 2]
    )
  })

  it('takes commit back to the end of the log when a torn tail lost entries', () => {
    assert.equal(member({ log: log(1), commit: 5 }).status().commit, 1)
  })

  it('takes over the term of entries that outlived their hard state', () => {
    const raft = member({ log: log(1, 3), term: 2, vote: 'b' })
    assert.equal(raft.status().term, 3)
    assert.deepEqual(work(raft).hardState, { term: 3, vote: null, commit: 0 })
  })

  it('refuses a disk that is not that of a member', () => {
    const broken = [
      log(2, 1),
      log(1, 1).slice(1),
      [{ term: 1, index: 1, data: 'text' as unknown as Uint8Array }]
    ]
    for (const entries of broken) {
      assert.throws(() => member({ log: entries, term: 2 }), RaftRestoreError)
    }
    assert.throws(() => member({ term: -1 }), { code: 'RAFT_RESTORE_INVALID' })
  })

  it('rebuilds a log from the batches of a journal', () => {
    const rebuilt = log(1, 1, 1)
    replayBatch(rebuilt, log(1, 2).slice(1))
    replayBatch(rebuilt, [])
    assert.deepEqual(rebuilt, log(1, 2))
  })
})

describe('core/raft: flow control', () => {
  it('probes a follower with one append at a time', () => {
    const raft = member({ log: log(1) })
    elect(raft)
    const first = work(raft).messages
    assert.deepEqual(first, [])
    raft.propose(data)
    assert.deepEqual(work(raft).messages, [])
    raft.step({ type: 'heartbeat-reply', from: 'b', to: 'a', term: 2 })
    assert.equal(only(work(raft).messages, 'append').entries.length, 2)
  })

  it('keeps a bounded number of appends in flight', () => {
    const raft = leaderWithSteadyFollowers()
    const large = new Uint8Array(ENTRY_BYTES_MAX)
    let sent = 0
    for (let i = 0; i < 4 * INFLIGHT_APPENDS_MAX; i++) {
      raft.propose(large)
      sent += work(raft).messages.filter(message => message.to === 'b').length
    }
    assert.equal(sent, INFLIGHT_APPENDS_MAX)
    raft.step(appendReply('b', 1, 3))
    assert.equal(
      work(raft).messages.filter(message => message.to === 'b' && message.type === 'append').length,
      2
    )
  })

  it('bounds entries and bytes of one append', () => {
    const raft = leaderWithSteadyFollowers()
    for (let i = 0; i < APPEND_ENTRIES_MAX + 10; i++) raft.propose(data)
    const counts = work(raft).messages.flatMap(message =>
      message.to === 'b' && message.type === 'append' ? [message.entries.length] : []
    )
    assert.deepEqual(counts, [APPEND_ENTRIES_MAX, 10])
    const other = leaderWithSteadyFollowers()
    for (let i = 0; i < 3; i++) other.propose(new Uint8Array(ENTRY_BYTES_MAX))
    const sizes = work(other).messages.flatMap(message =>
      message.to === 'b' && message.type === 'append' ? [message.entries.length] : []
    )
    assert.deepEqual(sizes, [2, 1])
  })

  it('refuses proposals while too much is uncommitted', () => {
    const raft = leaderWithSteadyFollowers()
    for (let i = 0; i < UNCOMMITTED_ENTRIES_MAX; i++) assert.equal(raft.propose(data), null)
    assert.equal(raft.propose(data), 'too-many-in-flight')
    work(raft)
    raft.step(appendReply('b', 1, 2))
    assert.equal(raft.propose(data), null)
  })

  it('finds out by heartbeat that appends were lost', () => {
    const raft = leaderWithSteadyFollowers()
    raft.propose(data)
    work(raft)
    raft.step({ type: 'heartbeat-reply', from: 'b', to: 'a', term: 1 })
    const probe = only(work(raft).messages, 'append')
    assert.deepEqual([probe.to, probe.previousIndex, probe.entries.length], ['b', 2, 0])
    raft.step({
      type: 'append-reply',
      from: 'b',
      to: 'a',
      term: 1,
      success: false,
      matchIndex: 1,
      conflictTerm: 0
    })
    assert.deepEqual(
      only(work(raft).messages, 'append').entries.map(entry => entry.index),
      [2]
    )
  })

  it('tells followers of a commit without waiting for a heartbeat', () => {
    const raft = leaderWithSteadyFollowers()
    raft.propose(data)
    work(raft)
    raft.step(appendReply('b', 1, 2))
    const news = work(raft).messages.filter(message => message.type === 'append')
    assert.deepEqual(
      news.map(message => [message.to, message.commit]),
      [
        ['b', 2],
        ['c', 2]
      ]
    )
  })

  it('never tells a follower by heartbeat to commit what it may lack', () => {
    const raft = leaderWithSteadyFollowers()
    raft.propose(data)
    work(raft)
    raft.step(appendReply('b', 1, 2))
    work(raft)
    raft.tick()
    const beats = work(raft).messages.flatMap(message =>
      message.type === 'heartbeat' ? [[message.to, message.commit]] : []
    )
    assert.deepEqual(beats, [
      ['b', 2],
      ['c', 1]
    ])
  })

  it('answers a duplicated refusal with one probe', () => {
    const raft = leaderWithSteadyFollowers()
    for (let i = 0; i < 5; i++) raft.propose(data)
    work(raft)
    const refusal: RaftMessage = {
      type: 'append-reply',
      from: 'b',
      to: 'a',
      term: 1,
      success: false,
      matchIndex: 1,
      conflictTerm: 0
    }
    for (let i = 0; i < 5; i++) raft.step(refusal)
    assert.equal(work(raft).messages.length, 1)
  })
})

function leaderWithSteadyFollowers(): Raft {
  const raft = member()
  elect(raft)
  for (const from of ['b', 'c']) raft.step(appendReply(from, 1, 1))
  work(raft)
  return raft
}

describe('core/raft: hostile members', () => {
  it('ignores strangers, itself, and what is meant for others', () => {
    const raft = member()
    const request = voteRequest('vote', { term: 1, last: [0, 0] })
    raft.step({ ...request, from: 'x' })
    raft.step({ ...request, from: 'a' })
    raft.step({ ...request, to: 'c' })
    assert.equal(raft.ready(), null)
  })

  it('ignores a term that is out of reach', () => {
    const raft = member()
    raft.step({
      type: 'heartbeat',
      from: 'b',
      to: 'a',
      term: TERM_JUMP_MAX + 1,
      commit: 0,
      quiesce: false
    })
    assert.equal(raft.status().term, 0)
  })

  it('keeps committed entries whatever a leader says', () => {
    const raft = member({ log: log(1, 1, 2), commit: 2 })
    raft.step(append({ term: 3, after: [0, 0] }, 3, 3, 3))
    raft.step(append({ term: 3, after: [1, 1], commit: 99 }, 3))
    assert.deepEqual(terms(raft.entries(1, 9)), [1, 1, 2])
    assert.deepEqual(work(raft).messages, [])
  })

  it('bounds a commit that lies beyond the log', () => {
    const raft = member({ log: log(1, 1) })
    raft.step({ type: 'heartbeat', from: 'b', to: 'a', term: 1, commit: 1_000_000, quiesce: false })
    assert.equal(raft.status().commit, 2)
  })

  it('does not follow a second leader of the same term', () => {
    const raft = member({ log: log(1) })
    raft.step(append({ from: 'b', term: 1, after: [1, 1] }))
    work(raft)
    raft.step(append({ from: 'c', term: 1, after: [1, 1] }, 1))
    assert.deepEqual([raft.status().leader, raft.status().lastIndex], ['b', 1])
    assert.deepEqual(work(raft).messages, [])
  })

  it('counts no acknowledgement beyond the log', () => {
    const raft = member()
    elect(raft)
    raft.propose(data)
    raft.step(appendReply('b', 1, 500))
    assert.equal(raft.status().commit, 0)
  })

  it('drops answers when nobody fetches them', () => {
    const raft = member({ log: log(1, 3), term: 3 })
    for (let i = 0; i < OUTBOX_MESSAGES_MAX + 10; i++) raft.step(append({ term: 2, after: [1, 1] }))
    assert.equal(work(raft).messages.length, OUTBOX_MESSAGES_MAX)
  })

  it('tells well-formed messages from others', () => {
    const good = append({ term: 2, after: [1, 1] }, 2, 2)
    assert.equal(isRaftMessage(good), true)
    const entry = (fields: object) => ({
      ...good,
      entries: [{ term: 2, index: 2, data, ...fields }]
    })
    const bad: unknown[] = [
      null,
      'append',
      [],
      {},
      { ...good, type: 'gossip' },
      { ...good, from: 7 },
      { ...good, term: -1 },
      { ...good, term: 1.5 },
      { ...good, term: 2 ** 53 },
      { ...good, term: 1n },
      { ...good, commit: Number.NaN },
      { ...good, previousIndex: 0 },
      { ...good, previousTerm: 0 },
      { ...good, previousTerm: 9 },
      { ...good, entries: null },
      { ...good, entries: [null] },
      { ...good, entries: new Array(APPEND_ENTRIES_MAX + 1).fill(null) },
      entry({ index: 3 }),
      entry({ index: 1 }),
      entry({ term: 1.5 }),
      entry({ term: 3 }),
      entry({ data: [7] }),
      entry({ data: new Uint8Array(ENTRY_BYTES_MAX + 1) }),
      voteRequest('vote', { term: 2, last: [4, 2] }),
      voteRequest('vote', { term: 2, last: [0, 1] }),
      { ...appendReply('b', 1, 1), success: 'yes' },
      { ...appendReply('b', 1, 1), matchIndex: -3 },
      { type: 'heartbeat', from: 'b', to: 'a', term: 0, commit: 0, quiesce: false }
    ]
    for (const message of bad) {
      assert.equal(isRaftMessage(message), false)
      const raft = member({ log: log(1), term: 1 })
      raft.step(message as RaftMessage)
      assert.equal(raft.ready(), null)
    }
  })
})
