import type { FaultName } from '../../src/simulator/index.ts'
import type { Edit, Mutant } from './mutant.ts'

const CUTS: readonly FaultName[] = ['partition', 'crash', 'loss', 'slow-disk', 'one-way', 'reorder']

/** Entries travel one at a time, so that members often hold different parts of a log. A setting and no bug: seeds pass with it. */
export const ONE_BY_ONE: Edit = {
  file: 'core/raft/limits.ts',
  find: 'export const APPEND_ENTRIES_MAX = 256',
  replace: 'export const APPEND_ENTRIES_MAX = 1'
}

/** Bugs of Raft and of how a member feeds it. */
export const RAFT_MUTANTS: readonly Mutant[] = [
  {
    name: 'term and vote are written without an fsync',
    file: 'core/raft/raft.ts',
    find: 'const mustSync = term !== last.term || vote !== last.vote',
    replace: 'const mustSync = false && (term !== last.term || vote !== last.vote)',
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'entries are acknowledged before they are synced',
    file: 'core/raft/raft.ts',
    find: 'const mustSync = entries.length > 0 || snapshot',
    replace: 'const mustSync = snapshot',
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'messages leave before the batch is written',
    file: 'core/swarm/member.ts',
    find: 'for (const record of records) this.#context.persist(record, { sync: ready.mustSync })',
    replace: `for (const message of ready.messages)
        this.#context.send(message.to, { type: 'raft', group, message })
      for (const record of records) this.#context.persist(record, { sync: ready.mustSync })`,
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'the hard state is not written at all',
    file: 'core/swarm/member.ts',
    find: 'if (ready.hardState !== null)',
    replace: 'if (ready.hardState !== null && ready.hardState.vote === null)',
    rules: ['durability'],
    seedsMax: 20
  },
  {
    name: 'a leader commits entries of old terms by counting',
    file: 'core/raft/replication.ts',
    find: 'if (state.log.termAt(agreed) === state.term) state.log.commitTo(agreed)',
    replace: 'state.log.commitTo(agreed)',
    also: [ONE_BY_ONE],
    rules: ['commit rule', 'leader completeness', 'state machine safety'],
    seedsMax: 60,
    seedSeen: 6,
    faults: CUTS
  },
  {
    name: 'a follower votes ahead of the commit on an entry of an earlier term',
    file: 'core/swarm/member.ts',
    find: 'if (foreseen?.entry.term === term)',
    replace: 'if (foreseen !== null)',
    also: [ONE_BY_ONE],
    rules: ['commit rule'],
    seedsMax: 60,
    seedSeen: 12,
    faults: ['one-way', 'crash', 'slow-disk']
  },
  {
    name: 'every append truncates the log',
    file: 'core/raft/log.ts',
    find: 'entry => entry.index > index && this.termAt(entry.index) !== entry.term',
    replace: 'entry => entry.index > this.#commit',
    rules: ['truncation', 'leader completeness', 'durability'],
    seedsMax: 50,
    seedSeen: 2,
    faults: ['duplicate', 'reorder', 'delay', 'loss']
  },
  {
    name: 'half of the members are a majority',
    file: 'core/raft/quorum.ts',
    find: 'return Math.floor(memberCount / 2) + 1',
    replace: 'return Math.floor(memberCount / 2)',
    rules: ['election safety', 'state machine safety', 'log matching', 'leader completeness'],
    seedsMax: 100,
    seedSeen: 9,
    faults: ['partition', 'crash', 'loss']
  },
  {
    name: 'a minority commits',
    file: 'core/raft/quorum.ts',
    find: 'return descending[quorumSize(held.length) - 1] ?? 0',
    replace: 'return descending[0] ?? 0',
    // A leader that counts itself alone tells a commit before its own entry is on its disk: that shows first, on every seed.
    rules: ['durability', 'state machine safety', 'leader completeness', 'commit rule'],
    seedsMax: 100,
    seedSeen: 7,
    faults: CUTS
  },
  {
    name: 'a pre-vote raises the term',
    file: 'core/raft/step.ts',
    find: "return message.type !== 'pre-vote' && !(message.type === 'pre-vote-reply' && message.granted)",
    replace: 'return true',
    rules: ['pre-vote'],
    seedsMax: 60,
    seedSeen: 4,
    faults: CUTS
  },
  {
    name: 'a member votes for whoever asks',
    file: 'core/raft/election.ts',
    find: 'const isFree = state.vote === request.from || (state.vote === null && state.leader === null)',
    replace: 'const isFree = true',
    rules: ['one promise', 'election safety', 'durability'],
    seedsMax: 100,
    seedSeen: 30,
    faults: CUTS
  },
  {
    name: 'votes go to logs that lack what is committed',
    file: 'core/raft/election.ts',
    find: 'return isFree && isUpToDate(state, request)',
    replace: 'return isFree',
    also: [ONE_BY_ONE],
    rules: ['leader completeness', 'state machine safety', 'log matching'],
    seedsMax: 60,
    seedSeen: 16,
    faults: ['crash', 'loss', 'pause']
  },
  {
    name: 'a follower believes a commit beyond what the append vouches for',
    file: 'core/raft/replication.ts',
    find: 'state.log.commitTo(Math.min(append.commit, matchIndex))',
    replace: 'state.log.commitTo(append.commit)',
    also: [ONE_BY_ONE],
    rules: ['commit rule', 'state machine safety', 'leader completeness'],
    seedsMax: 60,
    seedSeen: 5,
    faults: CUTS
  },
  {
    name: 'heartbeats tell a commit that the follower may not hold',
    file: 'core/raft/heartbeat.ts',
    find: 'Math.min(progress.match, state.log.commit)',
    replace: 'state.log.commit',
    rules: ['commit rule', 'state machine safety', 'leader completeness'],
    seedsMax: 100,
    seedSeen: 1,
    faults: CUTS
  },
  {
    name: 'a restart forgets the vote',
    file: 'core/swarm/restart.ts',
    find: 'hardState = record.state',
    replace: 'hardState = { ...record.state, vote: null }',
    rules: ['one promise', 'election safety', 'durability'],
    seedsMax: 100,
    seedSeen: 4,
    faults: ['crash', 'loss', 'partition']
  },
  {
    name: 'stamps stand still',
    file: 'core/swarm/member.ts',
    find: 'const stamp = Math.max(this.#logNow(), this.#lastStamp + 1)',
    replace: 'const stamp = this.#logNow()',
    rules: ['log time'],
    seedsMax: 40
  },
  {
    name: 'followers take stamps ahead of their clocks',
    file: 'core/swarm/member.ts',
    find: 'entry => (decodeEntry(entry.data)?.stamp ?? 0) <= latest)',
    replace: 'entry => (decodeEntry(entry.data)?.stamp ?? 0) <= latest + 1e9)',
    rules: ['log time'],
    seedsMax: 100,
    faults: ['skew', 'jump', 'drift']
  }
]
