import { jointTally } from './quorum.ts'
import { becomeFollower, type MessageOf, type RaftState, send } from './state.ts'
import type { MemberId } from './types.ts'

// --- leader ---

/** [RAFT-16] One tick of a leader: heartbeats, check-quorum, the end of a transfer that did not happen. */
export function leaderTick(state: RaftState): void {
  for (const progress of state.progress.values()) {
    progress.silentTicks++
    progress.snapshotTicks++
  }
  if (!hasQuorumContact(state)) {
    // 6.2: a leader that is cut off steps down, so that its callers look for another one.
    becomeFollower(state, state.term, null)
    return
  }
  if (state.transfer !== null && ++state.transfer.ticks >= state.electionTicksMin) {
    state.transfer = null
  }
  if (++state.heartbeatTicksPassed >= state.heartbeatTicks) {
    state.heartbeatTicksPassed = 0
    sendHeartbeats(state)
  }
}

function hasQuorumContact(state: RaftState): boolean {
  const heard = new Map<MemberId, boolean>([[state.id, true]])
  for (const [peer, progress] of state.progress) {
    if (progress.silentTicks <= state.electionTicksMin) heard.set(peer, true)
  }
  return jointTally(state.configuration, heard) === 'won'
}

export function sendHeartbeats(state: RaftState): void {
  for (const [peer, progress] of state.progress) {
    // A heartbeat has no consistency check: it may only speak of what the follower is known to hold.
    const commit = Math.min(progress.match, state.log.commit)
    send(state, peer, { type: 'heartbeat', commit, quiesce: false })
    progress.owesAnswer = true
  }
}

/** A follower is alive, whatever it holds. */
export function handleHeartbeatReply(state: RaftState, reply: MessageOf<'heartbeat-reply'>): void {
  state.progress.get(reply.from)?.alive(state.electionTicksMin)
}

// --- follower ---

/** The leader lives; its commit is bounded by what it knows this member to hold. */
export function handleHeartbeat(state: RaftState, heartbeat: MessageOf<'heartbeat'>): void {
  const { log } = state
  log.commitTo(heartbeat.commit)
  // [RAFT-22] Quiet only with exactly what the leader has. A member that lacks something, or has more, keeps its timer and answers.
  state.isQuiescent =
    heartbeat.quiesce && log.commit === heartbeat.commit && log.lastIndex === heartbeat.commit
  if (!state.isQuiescent) send(state, heartbeat.from, { type: 'heartbeat-reply' })
}
