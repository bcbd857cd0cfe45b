// Goal: what may leave before its fsync is a leader's appends, and nothing that would be missed after a crash (R13).
import assert from 'node:assert/strict'
import type { LogEntry, RaftMessage } from '../../../../src/core/raft/index.ts'
import { type Effect, splitEarly } from '../../../../src/core/swarm/index.ts'

const address = { from: 'a', to: 'b', term: 1 }
const APPEND = raft({
  ...address,
  type: 'append',
  previousIndex: 0,
  previousTerm: 0,
  entries: [],
  commit: 0
} as RaftMessage)
const REPLY = raft({
  ...address,
  type: 'append-reply',
  success: true,
  matchIndex: 1
} as RaftMessage)
const ENTRIES: Effect = {
  kind: 'persist',
  records: [{ type: 'entries', group: 'g', entries: [] }],
  sync: true
}

function raft(message: RaftMessage): Effect {
  return { kind: 'send', to: 'b', message: { type: 'raft', group: 'g', message } }
}

function envelope(sync: boolean): Effect {
  return {
    kind: 'persist',
    records: [{ type: 'envelope', bytes: new Uint8Array(1), atMs: 0 }],
    sync
  }
}

describe('core/swarm: what leaves before its fsync', () => {
  it('is the appends, in their order; all else waits in its own', () => {
    const vote: Effect = {
      kind: 'send',
      to: 'b',
      message: {
        type: 'vote',
        group: 'g',
        stage: 'decide',
        digest: new Uint8Array(32),
        sig: new Uint8Array(64)
      }
    }
    const second = { ...APPEND, to: 'c' } as Effect
    const effects = [ENTRIES, APPEND, envelope(false), REPLY, second, vote]
    const { early, rest } = splitEarly(effects)
    assert.deepEqual(early, [APPEND, second])
    assert.deepEqual(rest, [ENTRIES, envelope(false), REPLY, vote])
  })

  it('is committed entries for others, but not those that the batch itself writes', () => {
    const entry = (index: number): LogEntry => ({ term: 1, index, data: new Uint8Array(1) })
    const log = (group: string, ...indexes: readonly number[]): Effect => ({
      kind: 'send',
      to: 'c',
      message: { type: 'log', group, thread: 't', entries: indexes.map(entry) }
    })
    const writes: Effect = {
      kind: 'persist',
      records: [{ type: 'entries', group: 'g', entries: [entry(3), entry(4)] }],
      sync: true
    }
    const effects = [writes, log('g', 1, 2), log('g', 2, 3), log('g', 4), log('other', 4)]
    const { early, rest } = splitEarly(effects)
    assert.deepEqual(early, [log('g', 1, 2), log('other', 4)])
    assert.deepEqual(rest, [writes, log('g', 2, 3), log('g', 4)])
  })

  it('is nothing beside an own envelope that is not on disk', () => {
    const effects = [APPEND, ENTRIES, envelope(true)]
    assert.deepEqual(splitEarly(effects), { early: [], rest: effects })
  })
})
