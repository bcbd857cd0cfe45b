/**
 * Goal: section 7 of the Raft paper, Log compaction, holds: a snapshot stands for the prefix, reaches followers that are too far behind, never takes the
 * place of a newer log, and comes back from the disk. Method: one test a sentence, on one member and the messages around it.
 */
import assert from 'node:assert/strict'
import {
  type LogEntry,
  type Raft,
  type RaftMessage,
  RaftRestoreError,
  replayBatch,
  replaySnapshot,
  SNAPSHOT_BYTES_MAX,
  type Snapshot
} from '../../../../src/core/raft/index.ts'
import {
  append,
  appendReply,
  elect,
  log,
  member,
  only,
  THREE,
  terms,
  tick,
  voteRequest,
  work
} from '../../../support/raft-member.ts'

const data = Uint8Array.of(7)
const state = Uint8Array.of(1, 2, 3)

function snapshotAt(index: number, term: number): Snapshot {
  return { index, term, configuration: { voters: THREE, outgoing: [], learners: [] }, data: state }
}

function install(snapshot: Snapshot, term = snapshot.term): RaftMessage {
  return { type: 'snapshot', from: 'b', to: 'a', term, snapshot }
}

/** A leader of term 3 that applied five entries and forgot those up to `index`. */
function compacted(index: number): Raft {
  const raft = member({ log: log(1, 1, 2, 2), term: 2, commit: 4 })
  elect(raft)
  work(raft)
  raft.step(appendReply('b', 3, 5))
  work(raft)
  raft.compact(index, state)
  return raft
}

describe('core/raft: 7, log compaction', () => {
  it('a snapshot covers committed entries, and has the position and the configuration of the last one', () => {
    const raft = compacted(3)
    const batch = work(raft)
    assert.deepEqual(batch.snapshot, snapshotAt(3, 2))
    assert.equal(batch.mustSync, true)
    assert.deepEqual(terms(raft.entries(1, 9)), [2, 3])
    assert.deepEqual([raft.status().commit, raft.status().lastIndex], [5, 5])
    assert.equal(raft.ready(), null)
  })

  it('what was not applied is in no snapshot', () => {
    const raft = member({ log: log(1, 1), term: 1, commit: 1 })
    work(raft)
    assert.throws(() => raft.compact(2, state), { code: 'ASSERTION' })
    const busy = member({ log: log(1, 1), term: 1, commit: 1 })
    busy.ready()
    assert.throws(() => busy.compact(1, state), { code: 'ASSERTION' })
  })

  it('an older snapshot than the last one changes nothing, and a large one is a mistake', () => {
    const raft = compacted(3)
    work(raft)
    raft.compact(2, data)
    raft.compact(3, data)
    assert.equal(raft.ready(), null)
    assert.throws(() => raft.compact(4, new Uint8Array(SNAPSHOT_BYTES_MAX + 1)), {
      code: 'ASSERTION'
    })
  })

  it('the leader sends the snapshot to a follower that lacks discarded entries', () => {
    const raft = compacted(3)
    work(raft)
    raft.tick()
    raft.step({ type: 'heartbeat-reply', from: 'c', to: 'a', term: 3 })
    work(raft)
    const refusal = { type: 'append-reply', from: 'c', to: 'a', term: 3, success: false } as const
    raft.step({ ...refusal, matchIndex: 1, conflictTerm: 0 })
    const [sent, ...others] = work(raft).messages
    assert.deepEqual(
      [sent?.to, sent?.type === 'snapshot' && sent.snapshot],
      ['c', snapshotAt(3, 2)]
    )
    assert.deepEqual(others, [])
    raft.propose(data)
    assert.equal(work(raft).messages.filter(message => message.to === 'c').length, 0)
    raft.step(appendReply('c', 3, 3))
    const [next] = work(raft).messages.filter(message => message.to === 'c')
    assert.ok(next?.type === 'append')
    assert.deepEqual(
      [next.previousIndex, next.previousTerm, terms(next.entries)],
      [3, 2, [2, 3, 3]]
    )
  })

  it('a lost snapshot is sent again after a while', () => {
    const raft = compacted(5)
    work(raft)
    const alive = (): void => {
      for (const from of ['b', 'c']) raft.step({ type: 'heartbeat-reply', from, to: 'a', term: 3 })
    }
    alive()
    assert.equal(only(work(raft).messages, 'snapshot').to, 'c')
    let sent = 0
    for (let ticks = 0; ticks < 25; ticks++) {
      raft.tick()
      alive()
      sent += work(raft).messages.filter(message => message.type === 'snapshot').length
    }
    assert.equal(sent, 2)
  })

  it('a follower replaces its whole log by a snapshot of what it lacks', () => {
    const raft = member({ log: log(1, 1, 1), term: 1, commit: 2 })
    work(raft)
    raft.step(install(snapshotAt(9, 4), 5))
    const batch = raft.ready()
    assert.deepEqual(batch?.snapshot, snapshotAt(9, 4))
    assert.equal(batch?.mustSync, true)
    assert.deepEqual(batch?.committed, [])
    // The acknowledgement is in the batch of the snapshot, to be synced first.
    assert.equal(only(batch?.messages ?? [], 'append-reply').matchIndex, 9)
    raft.advance()
    assert.deepEqual(raft.entries(1, 99), [])
    raft.step(append({ term: 5, after: [9, 4], commit: 10 }, 5))
    assert.deepEqual(
      work(raft).committed.map(entry => entry.index),
      [10]
    )
  })

  it('entries that follow an entry of the same index and term are retained', () => {
    const raft = member({ log: log(1, 1, 1, 1), term: 1, commit: 1 })
    work(raft)
    raft.step(install(snapshotAt(3, 1)))
    const batch = work(raft)
    assert.equal(batch.snapshot, null)
    assert.deepEqual(terms(raft.entries(1, 9)), [1, 1, 1, 1])
    assert.deepEqual(
      batch.committed.map(entry => entry.index),
      [2, 3]
    )
    assert.equal(only(batch.messages, 'append-reply').matchIndex, 3)
  })

  it('an entry of the same index and another term does not retain the log', () => {
    const raft = member({ log: log(1, 2, 2, 2), term: 2, commit: 1 })
    work(raft)
    raft.step(install(snapshotAt(3, 3)))
    assert.deepEqual(work(raft).snapshot, snapshotAt(3, 3))
    assert.deepEqual([raft.status().lastIndex, raft.entries(1, 9).length], [3, 0])
  })

  it('a snapshot that arrives late does not take the place of a newer log', () => {
    const raft = member({ log: log(1, 1, 2), term: 2, commit: 3 })
    work(raft)
    raft.step(install(snapshotAt(2, 1), 2))
    const batch = work(raft)
    assert.equal(batch.snapshot, null)
    assert.equal(only(batch.messages, 'append-reply').matchIndex, 3)
    assert.deepEqual(terms(raft.entries(1, 9)), [1, 1, 2])
  })

  it('a snapshot of an earlier term is refused, and its sender told the newer one', () => {
    const raft = member({ term: 7 })
    raft.step(install(snapshotAt(3, 1), 2))
    const reply = only(work(raft).messages, 'append-reply')
    assert.deepEqual([reply.success, reply.term], [false, 7])
  })

  it('a log of nothing but a snapshot still counts in elections', () => {
    const raft = compacted(5)
    work(raft)
    const restored = member({ snapshot: snapshotAt(5, 3), log: [], term: 3, commit: 5 })
    for (const [last, granted] of [
      [[4, 3], false],
      [[5, 3], true],
      [[9, 2], false]
    ] as const) {
      restored.step(voteRequest('pre-vote', { term: 4, last }))
      assert.equal(only(work(restored).messages, 'pre-vote-reply').granted, granted)
    }
  })

  it('a late append of what the snapshot covers is acknowledged, one that contradicts it is void', () => {
    const raft = member({ snapshot: snapshotAt(3, 2), log: log(1, 1, 2, 2).slice(3), term: 2 })
    raft.step(append({ term: 2, after: [0, 0] }, 1))
    assert.equal(only(work(raft).messages, 'append-reply').matchIndex, 1)
    raft.step(append({ term: 2, after: [1, 1] }, 1, 2, 2, 2))
    const batch = work(raft)
    assert.equal(only(batch.messages, 'append-reply').matchIndex, 5)
    assert.deepEqual(
      batch.entries.map(entry => entry.index),
      [5]
    )
    raft.step(append({ term: 2, after: [1, 1] }, 1, 1, 2))
    assert.deepEqual(work(raft).messages, [])
    assert.deepEqual(terms(raft.entries(1, 9)), [2, 2])
  })

  it('a leader whose in-flight appends end below its snapshot sends that', () => {
    const raft = member({ log: log(1), term: 1, commit: 0 })
    elect(raft)
    for (const from of ['b', 'c']) raft.step(appendReply(from, 2, 2))
    work(raft)
    for (let i = 0; i < 40; i++) {
      raft.propose(data)
      work(raft)
    }
    raft.step(appendReply('b', 2, 42))
    for (let i = 0; i < 40; i++) {
      work(raft)
      raft.step(appendReply('b', 2, raft.status().lastIndex))
    }
    assert.equal(raft.status().commit, 42)
    raft.compact(42, state)
    work(raft)
    raft.step({ type: 'heartbeat-reply', from: 'c', to: 'a', term: 2 })
    assert.equal(only(work(raft).messages, 'snapshot').to, 'c')
  })
})

describe('core/raft: a snapshot on disk', () => {
  it('a member starts from it: committed entries come from behind it', () => {
    const raft = member({
      snapshot: snapshotAt(3, 2),
      log: log(1, 1, 2, 2).slice(3),
      term: 2,
      commit: 4
    })
    const batch = work(raft)
    assert.deepEqual(
      batch.committed.map(entry => entry.index),
      [4]
    )
    assert.equal(batch.snapshot, null)
    tick(raft, 10)
    assert.equal(raft.status().role, 'pre-candidate')
  })

  it('commit is at least that of the snapshot, and its term is known', () => {
    const raft = member({ snapshot: snapshotAt(3, 2), term: 1, commit: 0, vote: 'b' })
    assert.deepEqual([raft.status().commit, raft.status().lastIndex, raft.status().term], [3, 3, 2])
    assert.deepEqual(work(raft).hardState, { term: 2, vote: null, commit: 3 })
  })

  it('a gap behind it, or a snapshot that is none, is damage', () => {
    const entries = log(1, 1, 2, 2)
    for (const [snapshot, kept] of [
      [snapshotAt(2, 1), entries.slice(3)],
      [snapshotAt(3, 2), entries],
      [{ ...snapshotAt(3, 2), term: 0 }, []],
      [{ ...snapshotAt(3, 2), data: new Uint8Array(SNAPSHOT_BYTES_MAX + 1) }, []],
      [{ ...snapshotAt(3, 2), configuration: { voters: [], outgoing: [], learners: [] } }, []]
    ] as const) {
      assert.throws(() => member({ snapshot, log: kept, term: 2 }), RaftRestoreError)
    }
  })

  it('a journal with snapshots gives the log behind the last one', () => {
    const stored: LogEntry[] = log(1, 1, 1)
    replaySnapshot(stored, snapshotAt(2, 1))
    assert.deepEqual(
      stored.map(entry => entry.index),
      [3]
    )
    replayBatch(stored, log(1, 1, 2, 2).slice(2))
    assert.deepEqual(
      stored.map(entry => [entry.index, entry.term]),
      [
        [3, 2],
        [4, 2]
      ]
    )
    replaySnapshot(stored, snapshotAt(2, 1))
    assert.equal(stored.length, 2)
    replaySnapshot(stored, snapshotAt(4, 3))
    assert.deepEqual(stored, [])
    replayBatch(stored, [{ term: 3, index: 5, data }])
    assert.equal(stored.length, 1)
  })
})
