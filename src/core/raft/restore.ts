import { assert, compareText } from '../base/index.ts'
import { RaftRestoreError } from './errors.ts'
import { NUMBER_MAX } from './limits.ts'
import { RaftLog } from './log.ts'
import { type RaftState, restartElectionTimer } from './state.ts'
import type { HardState, LogEntry, RaftInit } from './types.ts'
import { areEntries } from './validate.ts'

/** A member as it starts: a follower with what its disk holds. Nothing counts as handed out. */
export function restore(init: RaftInit): RaftState {
  assertInit(init)
  const { hardState, entries } = checkedDisk(init)
  const log = new RaftLog(entries)
  // Commit may have been written without the entries that a torn tail lost; those were never acknowledged.
  log.commitTo(hardState.commit)
  const state: RaftState = {
    id: init.id,
    peers: init.members.filter(member => member !== init.id).sort(compareText),
    memberCount: init.members.length,
    electionTicksMin: init.electionTicksMin,
    heartbeatTicks: init.heartbeatTicks,
    random: init.random,
    log,
    term: hardState.term,
    vote: hardState.vote,
    role: 'follower',
    leader: null,
    electionTicks: 0,
    electionTimeout: init.electionTicksMin,
    heartbeatTicksPassed: 0,
    votes: new Map(),
    progress: new Map(),
    transfer: null,
    isQuiescent: false,
    outbox: [],
    forwarded: []
  }
  restartElectionTimer(state)
  return state
}

function assertInit(init: RaftInit): void {
  assert(init.members.includes(init.id), 'a member is in its group')
  assert(new Set(init.members).size === init.members.length, 'a member is named once')
  assert(init.heartbeatTicks >= 1, 'a heartbeat takes at least one tick')
  assert(
    init.electionTicksMin > init.heartbeatTicks,
    'an election timeout is longer than a heartbeat'
  )
}

function checkedDisk(init: RaftInit): { hardState: HardState; entries: readonly LogEntry[] } {
  if (init.restored === undefined)
    return { hardState: { term: 0, vote: null, commit: 0 }, entries: [] }
  const { hardState, entries } = init.restored
  for (const value of [hardState.term, hardState.commit]) {
    if (!Number.isSafeInteger(value) || value < 0 || value > NUMBER_MAX) {
      throw new RaftRestoreError(
        'the stored term or commit is not a whole number in range; restore the journal from a copy',
        { hardState }
      )
    }
  }
  const count = entries.length
  if (!areEntries(entries, { index: 0, term: 0 })) {
    throw new RaftRestoreError(
      'the stored log has a gap, falling terms or an oversized entry; restore the journal from a copy',
      { count }
    )
  }
  // The entries of a batch may survive a torn tail that its hard state did not. No message of that batch left, so no vote was given.
  const lastTerm = entries.at(-1)?.term ?? 0
  return {
    hardState: lastTerm > hardState.term ? { ...hardState, term: lastTerm, vote: null } : hardState,
    entries
  }
}
