import { assert } from '../base/index.ts'
import { SNAPSHOT_BYTES_MAX } from './limits.ts'
import { useConfiguration } from './membership.ts'
import type { Progress } from './progress.ts'
import { type MessageOf, type RaftState, send } from './state.ts'
import type { LogIndex, MemberId } from './types.ts'

/**
 * [RAFT-25] Section 7: `data` stands for all entries up to `index`, which the caller has applied. The log forgets them. Does nothing where
 * an earlier snapshot covers them, and where it is not known who took part there: a member that joined learns that from a later entry.
 */
export function compact(state: RaftState, index: LogIndex, data: Uint8Array): void {
  assert(data.length <= SNAPSHOT_BYTES_MAX, 'a snapshot is within SNAPSHOT_BYTES_MAX')
  const { log } = state
  if (index <= log.baseIndex) return
  const configuration = log.configurations.at(index)
  if (configuration.voters.length === 0) return
  log.compact(index)
  state.snapshot = { index, term: log.termAt(index) as number, configuration, data }
  state.isSnapshotNew = true
}

/** [RAFT-26] Section 7: a follower so far behind that the entries it lacks are gone gets the snapshot instead. */
export function sendSnapshot(state: RaftState, to: MemberId, progress: Progress): void {
  const { snapshot } = state
  assert(snapshot !== null, 'entries are only gone where a snapshot covers them')
  send(state, to, { type: 'snapshot', snapshot })
  progress.snapshotSent(snapshot.index)
}

/** [RAFT-27] InstallSnapshot, receiver's side. The reply leaves after the snapshot is persisted: both are in one batch. */
export function handleSnapshot(state: RaftState, message: MessageOf<'snapshot'>): void {
  const { log } = state
  const { snapshot } = message
  if (snapshot.index > log.commit) {
    // A log that holds the last entry covered holds all of them, and what follows is kept.
    if (log.termAt(snapshot.index) === snapshot.term) log.commitTo(snapshot.index)
    else install(state, message)
  }
  // Whatever this member has committed, the leader holds too.
  const matchIndex = Math.max(snapshot.index, log.commit)
  send(state, message.from, { type: 'append-reply', success: true, matchIndex, conflictTerm: 0 })
}

function install(state: RaftState, { snapshot }: MessageOf<'snapshot'>): void {
  state.log.install(snapshot)
  state.snapshot = snapshot
  state.isSnapshotNew = true
  useConfiguration(state)
}
