/**
 * Goal: section 6 of the Raft paper, Cluster membership changes, holds: at no time can two majorities decide without each other. Method: one test a
 * sentence, on one member and the messages around it, and one whole group that is replaced member by member.
 */
import assert from 'node:assert/strict'
import {
  type Configuration,
  type LogEntry,
  type MembersTarget,
  Raft,
  type RaftInit,
  type RaftMessage
} from '../../../../src/core/raft/index.ts'
import { CATCH_UP_ENTRIES_MAX } from '../../../../src/core/raft/limits.ts'
import {
  append,
  appendReply,
  log,
  type MemberInit,
  member,
  only,
  THREE,
  tick,
  voteRequest,
  work
} from '../../../support/raft-member.ts'

import { ConfiguresAtCommit } from '../../../support/raft-mutants-of-groups.ts'

const data = Uint8Array.of(7)
const none: readonly string[] = []

function plain(voters: readonly string[], learners = none): Configuration {
  return { voters, outgoing: [], learners }
}

function changing(init: MemberInit = {}): Raft {
  return member({ ...init, changesMembers: true })
}

function change(term: number, index: number, configuration: Configuration): LogEntry {
  return { term, index, data: new Uint8Array(0), configuration }
}

function vote(raft: Raft, ...from: string[]): void {
  for (const sender of from) {
    const { role, term } = raft.status()
    const isPre = role === 'pre-candidate'
    raft.step({
      type: isPre ? 'pre-vote-reply' : 'vote-reply',
      from: sender,
      to: 'a',
      term: isPre ? term + 1 : term,
      granted: true
    })
  }
  work(raft)
}

/** Leader of a, b, c with the learners d and e, all of whom hold the whole log. */
function leaderWithLearners(): Raft {
  const raft = changing()
  raft.campaign()
  work(raft)
  vote(raft, 'b', 'c')
  acknowledge(raft, 'b', 'c')
  assert.equal(raft.changeMembers({ voters: THREE, learners: ['d', 'e'] }), null)
  acknowledge(raft, 'b', 'c', 'd', 'e')
  return raft
}

/** The members hold everything that the leader has. */
function acknowledge(raft: Raft, ...from: string[]): RaftMessage[] {
  const said: RaftMessage[] = [...work(raft).messages]
  const { term, lastIndex } = raft.status()
  for (const sender of from) raft.step(appendReply(sender, term, lastIndex))
  said.push(...work(raft).messages)
  return said
}

describe('core/raft: 6, the joint configuration', () => {
  it('a change of voters begins with C_old,new, used as soon as it is in the log', () => {
    const raft = leaderWithLearners()
    assert.equal(raft.changeMembers({ voters: ['a', 'd', 'e'], learners: none }), null)
    const joint = { voters: ['a', 'd', 'e'], outgoing: THREE, learners: none }
    assert.deepEqual(raft.configuration(), joint)
    const [entry, ...others] = work(raft).entries
    assert.deepEqual(entry, change(1, 3, joint))
    assert.deepEqual(others, [])
    assert.equal(raft.status().commit, 2)
  })

  it('an entry commits only with majorities of both configurations', () => {
    for (const [holders, commit] of [
      [['b', 'c'], 2],
      [['d', 'e'], 2],
      [['b', 'd'], 3]
    ] as const) {
      const raft = leaderWithLearners()
      raft.changeMembers({ voters: ['a', 'd', 'e'], learners: none })
      work(raft)
      for (const from of holders) raft.step(appendReply(from, 1, 3))
      assert.equal(raft.status().commit, commit, `held by ${holders}`)
    }
  })

  it('an election is won only with majorities of both configurations', () => {
    const joint = { voters: ['a', 'd', 'e'], outgoing: THREE, learners: none }
    for (const [grants, role] of [
      [['b', 'c'], 'pre-candidate'],
      [['d', 'e'], 'pre-candidate'],
      [['c', 'e'], 'candidate']
    ] as const) {
      const raft = changing({ log: [change(1, 1, joint)] })
      tick(raft, 10)
      const asked = work(raft).messages.map(message => message.to)
      assert.deepEqual(asked, ['b', 'c', 'd', 'e'])
      vote(raft, ...grants)
      assert.equal(raft.status().role, role, `votes of ${grants}`)
    }
  })

  it('a leader keeps its place only in contact with majorities of both configurations', () => {
    const raft = leaderWithLearners()
    raft.changeMembers({ voters: ['a', 'd', 'e'], learners: none })
    for (let i = 0; i < 11; i++) {
      raft.tick()
      for (const from of ['b', 'c']) raft.step({ type: 'heartbeat-reply', from, to: 'a', term: 1 })
      work(raft)
    }
    assert.equal(raft.status().role, 'follower')
  })

  it('once C_old,new is committed, the leader appends C_new and needs only its majority', () => {
    const raft = leaderWithLearners()
    raft.changeMembers({ voters: ['a', 'd', 'e'], learners: ['b'] })
    acknowledge(raft, 'b', 'c', 'd', 'e')
    assert.deepEqual(raft.configuration(), plain(['a', 'd', 'e'], ['b']))
    assert.deepEqual([raft.status().commit, raft.status().lastIndex], [3, 4])
    raft.step(appendReply('d', 1, 4))
    assert.equal(raft.status().commit, 4)
  })

  it('whoever leads next completes the change', () => {
    const joint = { voters: ['a', 'd', 'e'], outgoing: THREE, learners: none }
    const raft = changing({ log: [change(1, 1, joint)] })
    raft.campaign()
    work(raft)
    vote(raft, 'b', 'd')
    vote(raft, 'b', 'd')
    assert.equal(raft.status().role, 'leader')
    acknowledge(raft, 'b', 'd')
    assert.deepEqual(raft.configuration(), plain(['a', 'd', 'e']))
  })

  it('the latest configuration is used whether it is committed or not: otherwise two leaders could be elected in a term', () => {
    const moved = ['d', 'e', 'f']
    const entries = [
      change(1, 1, { voters: moved, outgoing: THREE, learners: none }),
      change(1, 2, plain(moved))
    ]
    // It does not know that C_new is committed. Those in C_new know it, and elect one of themselves.
    for (const [create, role] of [
      [(init: RaftInit) => new Raft(init), 'pre-candidate'],
      [(init: RaftInit) => new ConfiguresAtCommit(init), 'leader']
    ] as const) {
      const raft = changing({ log: entries, create })
      tick(raft, 10)
      vote(raft, 'b', 'c')
      vote(raft, 'b', 'c')
      assert.equal(raft.status().role, role)
    }
  })

  it('a configuration that is not committed goes with its entry', () => {
    const raft = changing({ log: [...log(1), change(2, 2, plain(['a', 'b', 'c', 'd']))], term: 2 })
    assert.equal(raft.configuration().voters.length, 4)
    raft.step(append({ from: 'c', term: 3, after: [1, 1] }, 3))
    assert.deepEqual(raft.configuration(), plain(THREE))
    // The quorum is that of three again.
    tick(raft, 10)
    assert.deepEqual(
      work(raft).messages.flatMap(message => (message.type === 'pre-vote' ? [message.to] : [])),
      ['b', 'c']
    )
  })

  it('survives a restart, in the log and in a snapshot', () => {
    const joint = { voters: ['a', 'd'], outgoing: THREE, learners: ['e'] }
    const raft = changing({
      log: [...log(1), change(1, 2, joint), ...log(1, 1, 1).slice(2)],
      commit: 3
    })
    work(raft)
    assert.deepEqual(raft.configuration(), joint)
    raft.compact(1, data)
    assert.deepEqual(work(raft).snapshot?.configuration, plain(THREE))
    raft.compact(3, data)
    const { snapshot } = work(raft)
    assert.ok(snapshot)
    assert.deepEqual(snapshot.configuration, joint)
    assert.deepEqual(changing({ snapshot, term: 1 }).configuration(), joint)
  })
})

describe('core/raft: 6, who takes part', () => {
  it('learners get the log and count in no majority', () => {
    const raft = leaderWithLearners()
    raft.propose(data)
    assert.equal(work(raft).messages.filter(message => message.to === 'd').length, 1)
    for (const from of ['d', 'e']) raft.step(appendReply(from, 1, 3))
    assert.equal(raft.status().commit, 2)
    raft.step(appendReply('b', 1, 3))
    assert.equal(raft.status().commit, 3)
    assert.equal(raft.transferTo('d'), 'not-member')
  })

  it('a learner never stands for election', () => {
    const raft = changing({ log: [change(1, 1, plain(['b', 'c'], ['a']))], commit: 1 })
    tick(raft, 100)
    raft.campaign()
    raft.step(append({ term: 1, after: [1, 1] }))
    raft.step({ type: 'timeout-now', from: 'b', to: 'a', term: 1 })
    assert.equal(raft.status().role, 'follower')
    assert.equal(raft.status().term, 1)
  })

  it('a new member waits for its first configuration, from whoever leads', () => {
    const raft = changing({ members: [], term: 0 })
    tick(raft, 100)
    assert.equal(raft.ready(), null)
    raft.step({
      ...append({ term: 3, after: [0, 0] }, 3),
      entries: [change(3, 1, plain(['b', 'c'], ['a']))]
    } as RaftMessage)
    assert.equal(raft.status().leader, 'b')
    assert.deepEqual(raft.configuration(), plain(['b', 'c'], ['a']))
  })

  it('a new member writes no snapshot of a time whose configuration it does not know', () => {
    const entries = [...log(1, 1), change(1, 3, plain(['b', 'c'], ['a']))]
    const raft = changing({ members: [], log: entries, commit: 3 })
    work(raft)
    raft.compact(2, data)
    assert.equal(raft.ready(), null)
    raft.compact(3, data)
    assert.deepEqual(work(raft).snapshot?.configuration, plain(['b', 'c'], ['a']))
  })

  it('a candidate outside of the own configuration gets a vote, if its log is up to date', () => {
    const raft = changing({ log: log(1, 1) })
    raft.step(voteRequest('vote', { from: 'x', term: 2, last: [2, 1] }))
    assert.equal(only(work(raft).messages, 'vote-reply').granted, true)
  })

  it('votes of members outside of the configuration do not count', () => {
    const raft = changing({ log: log(1) })
    tick(raft, 10)
    vote(raft, 'x', 'y')
    assert.equal(raft.status().role, 'pre-candidate')
  })

  it('removed members do not disturb those that have a leader', () => {
    const raft = changing({ log: [change(1, 1, plain(['a', 'b']))] })
    raft.step(append({ term: 1, after: [1, 1] }))
    work(raft)
    raft.step(voteRequest('vote', { from: 'c', term: 7, last: [9, 6] }))
    assert.deepEqual([work(raft).messages, raft.status().term], [[], 1])
  })

  it('a member that C_new leaves out may still have to lead until C_new is committed', () => {
    const entries = [...log(1), change(1, 2, plain(['b', 'c']))]
    const raft = changing({ log: entries, commit: 1 })
    tick(raft, 10)
    vote(raft, 'b')
    assert.equal(raft.status().role, 'pre-candidate', 'its own vote does not count')
    vote(raft, 'c')
    vote(raft, 'b', 'c')
    assert.equal(raft.status().role, 'leader')
    const removed = changing({ log: entries, commit: 2 })
    tick(removed, 100)
    assert.equal(removed.status().role, 'follower')
  })

  it('a leader that is not in C_new counts itself in no majority, and steps down once C_new is committed', () => {
    const raft = leaderWithLearners()
    raft.changeMembers({ voters: ['b', 'c', 'd'], learners: none })
    acknowledge(raft, 'b', 'c', 'd')
    assert.deepEqual(raft.configuration(), plain(['b', 'c', 'd']))
    raft.step(appendReply('b', 1, 4))
    work(raft)
    assert.deepEqual([raft.status().role, raft.status().commit], ['leader', 3])
    raft.step(appendReply('c', 1, 4))
    const { messages } = work(raft)
    assert.deepEqual([raft.status().role, raft.status().commit], ['follower', 4])
    assert.ok(['b', 'c'].includes(only(messages, 'timeout-now').to))
    const told = messages.filter(message => message.type === 'append' && message.commit === 4)
    assert.deepEqual(
      told.map(message => message.to),
      ['b', 'c', 'd']
    )
    tick(raft, 100)
    assert.deepEqual(work(raft).messages, [])
  })
})

describe('core/raft: 6, one change at a time', () => {
  const target: MembersTarget = { voters: ['a', 'b', 'd'], learners: none }

  it('a change is refused while another is under way', () => {
    const raft = leaderWithLearners()
    assert.equal(raft.changeMembers(target), null)
    work(raft)
    assert.equal(raft.changeMembers(target), 'change-under-way')
    acknowledge(raft, 'b', 'c', 'd')
    assert.equal(raft.changeMembers({ voters: ['a', 'b'], learners: none }), 'change-under-way')
    acknowledge(raft, 'b', 'd')
    assert.equal(raft.changeMembers(target), 'unchanged')
    assert.equal(raft.changeMembers({ voters: ['a', 'b'], learners: none }), null)
  })

  it('a new voter must have caught up, and be alive', () => {
    const raft = leaderWithLearners()
    assert.equal(raft.changeMembers({ voters: ['a', 'x'], learners: none }), 'not-caught-up')
    for (let i = 0; i <= CATCH_UP_ENTRIES_MAX; i++) raft.propose(data)
    assert.equal(raft.changeMembers(target), 'not-caught-up')
    raft.step(appendReply('d', 1, 3))
    assert.equal(raft.changeMembers(target), null)
    const other = leaderWithLearners()
    for (let i = 0; i < 11; i++) {
      other.tick()
      acknowledge(other, 'b', 'c')
    }
    assert.equal(other.changeMembers(target), 'not-caught-up')
  })

  it('is refused by who does not lead, hands over, has committed nothing in its term, or cannot change', () => {
    assert.equal(changing().changeMembers(target), 'not-leader')
    assert.equal(member().changeMembers(target), 'fixed')
    const handing = leaderWithLearners()
    handing.transferTo('b')
    assert.equal(handing.changeMembers(target), 'transferring')
    const fresh = changing({ log: log(1), commit: 1 })
    tick(fresh, 10)
    vote(fresh, 'b')
    vote(fresh, 'b')
    assert.equal(fresh.status().role, 'leader')
    assert.equal(fresh.changeMembers({ voters: THREE, learners: ['d'] }), 'too-early')
  })

  it('a target without voters, with doubles, or with a voter that learns, is malformed', () => {
    const raft = leaderWithLearners()
    for (const voters of [
      [],
      ['a', 'a'],
      ['a', 'd'],
      Array.from({ length: 65 }, (_, i) => `v${i}`)
    ])
      assert.equal(raft.changeMembers({ voters, learners: ['d'] }), 'malformed')
  })
})

describe('core/raft: a group with fixed members', () => {
  it('hears no one else, and takes no change', () => {
    const raft = member({ log: log(1) })
    const entries = [change(1, 2, plain(['a']))]
    raft.step({ ...append({ term: 1, after: [1, 1] }), entries } as RaftMessage)
    const snapshot = { index: 5, term: 1, configuration: plain(['a']), data }
    raft.step({ type: 'snapshot', from: 'b', to: 'a', term: 1, snapshot })
    raft.step({ ...append({ from: 'x', term: 1, after: [1, 1] }, 1) })
    assert.equal(raft.ready(), null)
    assert.deepEqual(raft.configuration(), plain(THREE))
    raft.step({
      type: 'snapshot',
      from: 'b',
      to: 'a',
      term: 1,
      snapshot: { ...snapshot, configuration: plain(['c', 'b', 'a']) }
    })
    assert.equal(raft.status().commit, 5)
  })
})
