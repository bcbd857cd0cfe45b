/**
 * Goal: in a group that writes snapshots and changes its members, too, no message of anybody makes a member throw, lose or repeat what it handed out, or
 * say what nobody could take. Method: fast-check; scripts of inputs and of messages that are in order, nearly in order, or nonsense.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  isRaftMessage,
  type LogEntry,
  Raft,
  type RaftMessage,
  type Ready,
  replayBatch,
  replaySnapshot,
  type Snapshot
} from '../../src/core/raft/index.ts'
import { elect, FIVE, log, member, work } from '../support/raft-member.ts'

const small = fc.nat(9)
const term = fc.integer({ min: 1, max: 4 })
/** Mostly that of the member, so that something happens. */
const messageTerm = fc.constantFrom(3, 3, 4, 4, 4, 5, 6)
const names = fc.subarray(['a', 'b', 'c', 'd', 'x'], { minLength: 1 })
const configuration = fc.record({
  voters: names,
  outgoing: fc.oneof(fc.constant([]), names),
  learners: fc.constantFrom([], ['y'], ['y'], ['a'])
})
const data = fc.constantFrom(new Uint8Array(0), Uint8Array.of(1))
const snapshot = fc.record({ index: small, term, configuration, data })
const entries = fc
  .tuple(small, small, fc.array(fc.tuple(term, fc.option(configuration)), { maxLength: 4 }))
  .map(([previousIndex, previousTerm, list]) => ({
    previousIndex,
    previousTerm,
    entries: list.map(([entryTerm, change], i) => ({
      term: entryTerm,
      index: previousIndex + 1 + i,
      data: new Uint8Array(0),
      ...(change === null ? {} : { configuration: change })
    }))
  }))
const message = fc
  .tuple(
    fc.record({
      type: fc.constantFrom(
        'vote',
        'pre-vote',
        'vote-reply',
        'pre-vote-reply',
        'append',
        'append-reply',
        'heartbeat',
        'heartbeat-reply',
        'timeout-now',
        'forward',
        'snapshot'
      ),
      from: fc.constantFrom('b', 'b', 'b', 'c', 'x'),
      to: fc.constant('a'),
      term: messageTerm,
      lastIndex: small,
      lastTerm: small,
      transfer: fc.boolean(),
      granted: fc.boolean(),
      commit: small,
      quiesce: fc.boolean(),
      success: fc.boolean(),
      matchIndex: small,
      conflictTerm: small,
      data,
      snapshot
    }),
    entries
  )
  .map(([fields, ordered]) => ({ ...fields, ...ordered }) as unknown as RaftMessage)

const INPUTS: { readonly [name: string]: (raft: Raft) => void } = {
  tick: raft => raft.tick(),
  propose: raft => raft.propose(Uint8Array.of(1)),
  forward: raft => raft.forward(Uint8Array.of(1)),
  campaign: raft => raft.campaign(),
  quiesce: raft => raft.quiesce(),
  wake: raft => raft.wake(),
  transfer: raft => raft.transferTo('b'),
  learn: raft => raft.changeMembers({ voters: ['a', 'b', 'c'], learners: ['x'] }),
  leave: raft => raft.changeMembers({ voters: ['b', 'c'], learners: [] })
}

/** What a member of this script has applied and stored. */
class Shell {
  batch: Ready | null = null
  applied = 0
  stored: LogEntry[]
  snapshot: Snapshot | undefined

  constructor(stored: LogEntry[]) {
    this.stored = stored
  }

  take(batch: Ready): void {
    if (batch.snapshot !== null) {
      this.snapshot = batch.snapshot
      replaySnapshot(this.stored, batch.snapshot)
      this.applied = Math.max(this.applied, batch.snapshot.index)
    }
    replayBatch(this.stored, batch.entries)
    for (const entry of batch.committed) assert.equal(entry.index, ++this.applied)
    for (const sent of batch.messages) assert.ok(isRaftMessage(sent), sent.type)
  }
}

describe('core/raft and arbitrary messages, with snapshots and changing members', () => {
  it('never throws, hands out each entry once, says only what is in order, and can start again', () => {
    const script = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: message },
        { weight: 1, arbitrary: fc.constantFrom(...Object.keys(INPUTS)) },
        { weight: 2, arbitrary: fc.constantFrom('ready', 'advance', 'compact') }
      ),
      { minLength: 20, maxLength: 60 }
    )
    fc.assert(
      fc.property(script, fc.boolean(), fc.boolean(), (inputs, leads, changesMembers) => {
        const stored = log(1, 1, 2, 3)
        const raft = member({ members: FIVE, log: stored, term: 3, changesMembers })
        if (leads) elect(raft, FIVE)
        else work(raft)
        const shell = new Shell([...raft.entries(1, 99)])
        for (const input of inputs) {
          const before = raft.status()
          if (typeof input !== 'string') raft.step(input)
          else if (input === 'ready') {
            const batch = raft.ready()
            if (batch !== null) shell.take(batch)
            shell.batch ??= batch
          } else if (input === 'advance') {
            if (shell.batch !== null) raft.advance()
            shell.batch = null
          } else if (input === 'compact') {
            if (shell.batch === null) raft.compact(shell.applied, Uint8Array.of(9))
          } else INPUTS[input]?.(raft)
          const { term: now, commit, firstIndex, lastIndex } = raft.status()
          assert.ok(now >= before.term && commit >= before.commit && commit <= lastIndex)
          assert.ok(firstIndex >= before.firstIndex && firstIndex <= commit + 1)
        }
        restart(raft, shell)
      }),
      { numRuns: 1000 }
    )
  })
})

/**
 * What is stored once all is written is what the member holds, and a member starts from it. After contradicting snapshots of a liar the disk may keep entries
 * that the member has dropped: they are not committed.
 */
function restart(raft: Raft, shell: Shell): void {
  if (shell.batch !== null) raft.advance()
  for (let batch = raft.ready(); batch !== null; batch = raft.ready()) {
    shell.take(batch)
    raft.advance()
  }
  const { term: now, commit, firstIndex, lastIndex } = raft.status()
  const held = raft.entries(firstIndex, lastIndex)
  assert.deepEqual(shell.stored.slice(0, held.length), held)
  assert.ok(shell.stored.every(entry => entry.index === firstIndex + shell.stored.indexOf(entry)))
  const again = new Raft({
    id: 'a',
    members: FIVE,
    changesMembers: true,
    electionTicksMin: 10,
    heartbeatTicks: 1,
    random: () => 0,
    restored: {
      hardState: { term: now, vote: null, commit },
      entries: shell.stored,
      ...(shell.snapshot === undefined ? {} : { snapshot: shell.snapshot })
    }
  })
  assert.equal(again.status().commit, commit)
  if (shell.stored.length === held.length)
    assert.deepEqual(again.configuration(), raft.configuration())
}
