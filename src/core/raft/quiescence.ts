import { sendHeartbeats } from './heartbeat.ts'
import type { Progress } from './progress.ts'
import { type RaftState, restartElectionTimer, send } from './state.ts'
import type { MemberId } from './types.ts'

/**
 * [RAFT-21] A leader whose group has nothing left to agree on: it tells all members to be quiet, and is quiet itself. False where
 * something is uncommitted, being handed over, or on its way, or a member that was heard of lately lacks an entry.
 */
export function quiesce(state: RaftState): boolean {
  if (state.isQuiescent) return true
  if (state.role !== 'leader' || state.transfer !== null) return false
  const { commit, lastIndex } = state.log
  if (commit < lastIndex || state.outbox.length > 0) return false
  for (const progress of state.progress.values()) {
    if (!isComplete(progress, lastIndex) && !isAway(state, progress)) return false
  }
  for (const [peer, progress] of state.progress) {
    progress.toldCommit = Math.min(progress.match, commit)
    // One that is away lacks entries or will have missed this: it answers, or its timer runs out, and that wakes the leader.
    send(state, peer, { type: 'heartbeat', commit: progress.toldCommit, quiesce: true })
  }
  state.isQuiescent = true
  return true
}

/** Nothing is missing, and no answer is on its way that would wake the leader at once. */
function isComplete(progress: Progress, lastIndex: number): boolean {
  return progress.match === lastIndex && !progress.owesAnswer
}

/** A member that crashed or is cut off must not keep the others awake. */
function isAway(state: RaftState, progress: Progress): boolean {
  return progress.silentTicks > state.electionTicksMin
}

/**
 * [RAFT-23] The end of quiescence, with fresh timers: whoever has a leader gives it an election timeout to show itself before anyone may
 * stand against it. A leader shows itself at once; a follower that somebody else woke asks its leader to.
 */
export function wake(state: RaftState, by: MemberId | null): void {
  if (!state.isQuiescent) return
  state.isQuiescent = false
  restartElectionTimer(state)
  if (state.role === 'leader') {
    state.heartbeatTicksPassed = 0
    for (const progress of state.progress.values()) progress.silentTicks = 0
    sendHeartbeats(state)
  } else if (state.leader !== null && state.leader !== by) {
    send(state, state.leader, { type: 'heartbeat-reply' })
  }
}
