import { assert, SparseMap } from '../base/index.ts'
import { membersOf } from './configuration.ts'
import { RaftRestoreError } from './errors.ts'
import { NUMBER_MAX } from './limits.ts'
import { RaftLog } from './log.ts'
import { type RaftState, restartElectionTimer } from './state.ts'
import type { HardState, LogEntry, RaftInit, Snapshot } from './types.ts'
import { areEntries, isSnapshot } from './validate.ts'

/** A member as it starts: a follower with what its disk holds. Nothing counts as handed out. */
export function restore(init: RaftInit): RaftState {
  assertInit(init)
  const { hardState, entries, snapshot } = checkedDisk(init)
  const log = new RaftLog(entries, { members: init.members, snapshot })
  const configuration = log.configurations.latest
  // Commit may have been written without the entries that a torn tail lost; those were never acknowledged.
  log.commitTo(hardState.commit)
  const state: RaftState = {
    id: init.id,
    changesMembers: init.changesMembers === true,
    electionTicksMin: init.electionTicksMin,
    heartbeatTicks: init.heartbeatTicks,
    random: init.random,
    log,
    configuration,
    peers: membersOf(configuration).filter(member => member !== init.id),
    snapshot: snapshot ?? null,
    isSnapshotNew: false,
    term: hardState.term,
    vote: hardState.vote,
    role: 'follower',
    leader: null,
    electionTicks: 0,
    electionTimeout: init.electionTicksMin,
    heartbeatTicksPassed: 0,
    votes: new SparseMap(),
    progress: new SparseMap(),
    transfer: null,
    isQuiescent: false,
    outbox: [],
    forwarded: []
  }
  restartElectionTimer(state)
  return state
}

function assertInit(init: RaftInit): void {
  assert(init.changesMembers === true || init.members.includes(init.id), 'a member is in its group')
  assert(new Set(init.members).size === init.members.length, 'a member is named once')
  assert(init.heartbeatTicks >= 1, 'a heartbeat takes at least one tick')
  assert(
    init.electionTicksMin > init.heartbeatTicks,
    'an election timeout is longer than a heartbeat'
  )
}

type Disk = {
  readonly hardState: HardState
  readonly entries: readonly LogEntry[]
  readonly snapshot: Snapshot | undefined
}

function checkedDisk(init: RaftInit): Disk {
  if (init.restored === undefined)
    return { hardState: { term: 0, vote: null, commit: 0 }, entries: [], snapshot: undefined }
  const { hardState, entries, snapshot } = init.restored
  for (const value of [hardState.term, hardState.commit]) {
    if (!Number.isSafeInteger(value) || value < 0 || value > NUMBER_MAX) {
      throw new RaftRestoreError(
        'the stored term or commit is not a whole number in range; restore the journal from a copy',
        { hardState }
      )
    }
  }
  if (snapshot !== undefined && !isSnapshot(snapshot)) {
    throw new RaftRestoreError(
      'the stored snapshot has no position or members, or is too large; restore the journal from a copy',
      { snapshot }
    )
  }
  const count = entries.length
  if (!areEntries(entries, snapshot ?? { index: 0, term: 0 })) {
    throw new RaftRestoreError(
      'the stored log has a gap, falling terms or an oversized entry; restore the journal from a copy',
      { count }
    )
  }
  // The entries of a batch may survive a torn tail that its hard state did not. No message of that batch left, so no vote was given.
  const lastTerm = entries.at(-1)?.term ?? snapshot?.term ?? 0
  return {
    hardState: lastTerm > hardState.term ? { ...hardState, term: lastTerm, vote: null } : hardState,
    entries,
    snapshot
  }
}
