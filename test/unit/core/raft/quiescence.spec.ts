/**
 * Goal: an idle group is silent, anything wakes it, and neither a lost message nor a dead leader does harm meanwhile; proposals of followers reach the
 * leader. Method: one member driven by hand, and a whole group passing messages in memory.
 */
import assert from 'node:assert/strict'
import { ENTRY_BYTES_MAX, type Raft, type RaftMessage } from '../../../../src/core/raft/index.ts'
import { FORWARDED_PER_READY_MAX } from '../../../../src/core/raft/limits.ts'
import {
  append,
  appendReply,
  elect,
  log,
  member,
  only,
  tick,
  work
} from '../../../support/raft-member.ts'

const data = Uint8Array.of(7)

/** A group that passes messages at once, except where `drop` says so. */
class Group {
  readonly members = new Map<string, Raft>()
  drop: (message: RaftMessage) => boolean = () => false
  sent = 0

  constructor(size: number) {
    const ids = ['a', 'b', 'c', 'd', 'e'].slice(0, size)
    // Timeouts differ, as a random source would make them.
    for (const [i, id] of ids.entries())
      this.members.set(id, member({ id, members: ids, random: below => (3 * i) % below }))
    this.of('a').campaign()
    this.run()
  }

  of(id: string): Raft {
    return this.members.get(id) as Raft
  }

  run(): void {
    for (let isBusy = true; isBusy; ) {
      const messages = [...this.members.values()].flatMap(raft => work(raft).messages)
      isBusy = messages.length > 0
      this.sent += messages.length
      for (const message of messages)
        if (!this.drop(message)) this.members.get(message.to)?.step(message)
    }
  }

  tick(count: number): void {
    for (let i = 0; i < count; i++) {
      for (const raft of this.members.values()) raft.tick()
      this.run()
    }
  }

  quiet(): string[] {
    return [...this.members].filter(([, raft]) => raft.status().quiescent).map(([id]) => id)
  }
}

describe('core/raft: quiescence', () => {
  it('a group with nothing to agree on is silent, however much time passes', () => {
    const group = new Group(4)
    assert.equal(group.of('a').quiesce(), true)
    group.run()
    assert.deepEqual(group.quiet(), ['a', 'b', 'c', 'd'])
    const { sent } = group
    group.tick(500)
    assert.equal(group.sent, sent)
    assert.equal(group.of('a').status().role, 'leader')
    assert.equal(group.of('a').quiesce(), true)
    assert.equal(group.sent, sent)
  })

  it('a group of one is silent too', () => {
    const group = new Group(1)
    assert.equal(group.of('a').quiesce(), true)
    group.tick(50)
    assert.equal(group.of('a').propose(data), null)
    group.run()
    assert.deepEqual([group.of('a').status().commit, group.quiet().length], [2, 0])
  })

  it('a leader with uncommitted entries, a handover, or a follower that lacks something is not', () => {
    const raft = member()
    assert.equal(raft.quiesce(), false, 'a follower')
    elect(raft)
    work(raft)
    assert.equal(raft.quiesce(), false, 'uncommitted')
    raft.step(appendReply('b', 1, 1))
    work(raft)
    assert.equal(raft.quiesce(), false, 'c lacks an entry')
    raft.step(appendReply('c', 1, 1))
    work(raft)
    assert.equal(raft.quiesce(), false, 'the commit was not acknowledged')
    for (const from of ['b', 'c']) raft.step(appendReply(from, 1, 1))
    raft.transferTo('b')
    work(raft)
    assert.equal(raft.quiesce(), false, 'handing over')
    raft.transferTo('a')
    assert.equal(raft.quiesce(), true)
  })

  it('does not wait for a member that is away', () => {
    const group = new Group(4)
    const away = group.of('d')
    group.members.delete('d')
    group.of('a').propose(data)
    group.run()
    group.tick(10)
    assert.equal(group.of('a').quiesce(), false)
    group.tick(1)
    assert.equal(group.of('a').quiesce(), true)
    group.run()
    assert.deepEqual(group.quiet(), ['a', 'b', 'c'])
    // It comes back with what it has, stands for election, and is brought up instead.
    group.members.set('d', away)
    group.tick(20)
    assert.equal(group.of('d').status().commit, 2)
    assert.deepEqual([group.of('a').status().role, group.of('a').status().term], ['leader', 1])
  })

  it('any proposal wakes the group, and it can sleep again', () => {
    const group = new Group(4)
    group.of('a').quiesce()
    group.run()
    assert.equal(group.of('a').propose(data), null)
    group.run()
    assert.deepEqual(group.quiet(), [])
    for (const raft of group.members.values()) assert.equal(raft.status().commit, 2)
    group.tick(30)
    assert.equal(group.of('a').quiesce(), true)
    group.run()
    assert.equal(group.quiet().length, 4)
  })

  it('a follower that lacks the last entry, or has another, answers and keeps its timer', () => {
    for (const [mine, commit] of [
      [log(1), 2],
      [log(1, 1, 1), 2]
    ] as const) {
      const raft = member({ log: mine })
      raft.step(append({ term: 1, after: [0, 0] }))
      work(raft)
      raft.step({ type: 'heartbeat', from: 'b', to: 'a', term: 1, commit, quiesce: true })
      assert.equal(raft.status().quiescent, false)
      assert.equal(only(work(raft).messages, 'heartbeat-reply').to, 'b')
      tick(raft, 10)
      assert.equal(raft.status().role, 'pre-candidate')
    }
  })

  it('a member that missed the heartbeat raises no term: the leader shows itself', () => {
    for (const size of [3, 4, 5]) {
      const group = new Group(size)
      group.drop = message => message.type === 'heartbeat' && message.to === 'b'
      assert.equal(group.of('a').quiesce(), true)
      group.run()
      group.drop = () => false
      group.tick(50)
      assert.equal(group.of('b').status().term, 1)
      assert.equal(group.of('b').status().leader, 'a')
      assert.equal(group.of('a').quiesce(), true)
      group.run()
      assert.equal(group.quiet().length, size)
    }
  })

  it('a leader that died in its sleep is replaced once a follower is woken', () => {
    const group = new Group(4)
    group.of('a').quiesce()
    group.run()
    group.members.delete('a')
    group.tick(100)
    assert.deepEqual(group.quiet(), ['b', 'c', 'd'])
    group.of('c').wake()
    group.tick(60)
    const leaders = [...group.members.values()].filter(raft => raft.status().role === 'leader')
    assert.equal(leaders.length, 1)
    assert.equal(leaders[0]?.propose(data), null)
    group.run()
    assert.equal(group.of('b').status().commit, 3)
  })

  it('a leader that lives shows itself to a follower that was woken', () => {
    const group = new Group(3)
    group.of('a').quiesce()
    group.run()
    group.of('b').wake()
    group.run()
    group.tick(1)
    assert.deepEqual(group.quiet(), [])
    group.tick(50)
    assert.deepEqual([group.of('b').status().term, group.of('b').status().leader], [1, 'a'])
  })

  it('who is woken gives its leader a whole timeout before it listens to candidates', () => {
    const group = new Group(3)
    group.of('b').tick()
    group.of('a').quiesce()
    group.run()
    const raft = group.of('b')
    raft.step({
      type: 'vote',
      from: 'c',
      to: 'b',
      term: 9,
      lastIndex: 9,
      lastTerm: 8,
      transfer: false
    })
    assert.deepEqual(
      work(raft).messages.map(message => [message.type, message.to]),
      [['heartbeat-reply', 'a']]
    )
    assert.deepEqual([raft.status().term, raft.status().quiescent], [1, false])
  })
})

describe('core/raft: forwarding', () => {
  it('what a follower forwards comes out at the leader, once, and not in the log', () => {
    const group = new Group(3)
    assert.equal(group.of('b').forward(data), null)
    const [message] = work(group.of('b')).messages
    assert.deepEqual(message, { type: 'forward', from: 'b', to: 'a', term: 1, data })
    group.of('a').step(message as RaftMessage)
    assert.deepEqual(work(group.of('a')).forwarded, [{ from: 'b', data }])
    assert.equal(group.of('a').ready(), null)
    assert.equal(group.of('a').status().lastIndex, 1)
  })

  it('is refused by a leader, and without one', () => {
    assert.equal(member().forward(data), 'no-leader')
    const raft = member()
    elect(raft)
    assert.equal(raft.forward(data), 'leads')
  })

  it('wakes a group', () => {
    const group = new Group(3)
    group.of('a').quiesce()
    group.run()
    group.of('b').forward(data)
    group.run()
    assert.deepEqual(group.quiet(), [])
  })

  it('is dropped by a follower, beyond the bound, and when leadership was lost meanwhile', () => {
    const forward: RaftMessage = { type: 'forward', from: 'b', to: 'a', term: 1, data }
    const follower = member({ log: log(1) })
    follower.step(forward)
    assert.equal(follower.ready(), null)
    const raft = member()
    elect(raft)
    work(raft)
    raft.step({ ...forward, data: new Uint8Array(ENTRY_BYTES_MAX + 1) })
    for (let i = 0; i < FORWARDED_PER_READY_MAX + 3; i++) raft.step(forward)
    assert.equal(raft.ready()?.forwarded.length, FORWARDED_PER_READY_MAX)
    raft.advance()
    raft.step(forward)
    raft.step(append({ from: 'b', term: 2, after: [0, 0] }))
    assert.deepEqual(work(raft).forwarded, [])
  })
})
