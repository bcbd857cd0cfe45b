import { assert, SparseMap } from '../base/index.ts'
import { APPEND_BYTES_MAX, APPEND_ENTRIES_MAX } from './limits.ts'
import { useConfiguration } from './membership.ts'
import { Progress } from './progress.ts'
import { jointAgreedIndex } from './quorum.ts'
import { sendSnapshot } from './snapshot.ts'
import { type MessageOf, type RaftState, restartElectionTimer, send } from './state.ts'
import type { LogIndex, MemberId, Term } from './types.ts'

const EMPTY: Uint8Array = new Uint8Array(0)

// --- leader ---

/** [RAFT-12] An election was won. The empty entry lets entries of earlier terms commit without waiting for a proposal (5.4.2, 6.4). */
export function becomeLeader(state: RaftState): void {
  assert(state.role === 'candidate', 'only a candidate becomes leader')
  state.role = 'leader'
  state.leader = state.id
  state.votes = new SparseMap()
  state.progress = new Map(state.peers.map(peer => [peer, new Progress(state.log.lastIndex + 1)]))
  state.heartbeatTicksPassed = 0
  restartElectionTimer(state)
  state.log.append(state.term, EMPTY)
}

/** [RAFT-13] Sends each follower what it lacks and may get now. Called once a batch, so that proposals travel together. */
export function sendAppends(state: RaftState): void {
  if (state.isQuiescent) return
  for (const [peer, progress] of state.progress) {
    if (progress.next <= state.log.baseIndex) {
      // What it lacks is gone; what is on its way may still bring it past that.
      if (!progress.isPaused || progress.mustAsk) sendSnapshot(state, peer, progress)
      continue
    }
    while (!progress.isPaused && progress.next <= state.log.lastIndex) {
      sendAppend(state, peer, progress, { withEntries: true })
    }
    if (progress.mustAsk || hasCommitNews(state, progress)) {
      sendAppend(state, peer, progress, { withEntries: false })
    }
  }
}

function hasCommitNews(state: RaftState, progress: Progress): boolean {
  return (
    progress.mode === 'replicate' &&
    Math.min(state.log.commit, progress.next - 1) > progress.toldCommit
  )
}

function sendAppend(
  state: RaftState,
  to: MemberId,
  progress: Progress,
  options: { readonly withEntries: boolean }
): void {
  const previousIndex = progress.next - 1
  const previousTerm = state.log.termAt(previousIndex)
  assert(previousTerm !== undefined, 'a leader never sends from beyond its log')
  const limits = { entries: options.withEntries ? APPEND_ENTRIES_MAX : 0, bytes: APPEND_BYTES_MAX }
  const entries = state.log.run(progress.next, limits)
  const { commit } = state.log
  send(state, to, { type: 'append', previousIndex, previousTerm, entries, commit })
  const last = previousIndex + entries.length
  progress.toldCommit = Math.max(progress.toldCommit, Math.min(commit, last))
  progress.sent(last, entries.length)
}

/** A follower's answer to an append. */
export function handleAppendReply(state: RaftState, reply: MessageOf<'append-reply'>): void {
  const progress = state.progress.get(reply.from)
  if (progress === undefined || reply.matchIndex > state.log.lastIndex) return
  if (!reply.success) {
    progress.refused(retryIndex(state, progress.next - 1, reply))
    return
  }
  progress.acknowledged(reply.matchIndex)
  advanceCommit(state)
  urgeSuccessor(state)
}

/**
 * [RAFT-14] Fast back-up (5.3): where to try next after a refusal of an append that followed `previousIndex`. The follower's entries of
 * the conflicting term can only match ours of that term, or not at all.
 */
function retryIndex(
  state: RaftState,
  previousIndex: LogIndex,
  reply: { readonly matchIndex: LogIndex; readonly conflictTerm: Term }
): LogIndex {
  if (reply.conflictTerm === 0) return reply.matchIndex
  const lastOfTerm =
    Math.min(state.log.firstIndexFromTerm(reply.conflictTerm + 1), previousIndex) - 1
  const isShared = state.log.termAt(lastOfTerm) === reply.conflictTerm
  return isShared ? Math.max(reply.matchIndex, lastOfTerm) : reply.matchIndex
}

/** [RAFT-15] Figure 2, leaders: commit what a majority holds, if it is of this term; earlier entries follow with it (5.4.2). */
export function advanceCommit(state: RaftState): void {
  // The leader's own copy counts once it is on its disk, not when it is in memory.
  const held = (id: MemberId) =>
    id === state.id ? state.log.persisted : (state.progress.get(id)?.match ?? 0)
  const agreed = jointAgreedIndex(state.configuration, held)
  if (state.log.termAt(agreed) === state.term) state.log.commitTo(agreed)
}

/** [RAFT-17] 3.10: once the successor holds the whole log, it is told to stand without waiting for its timer. */
export function urgeSuccessor(state: RaftState): void {
  const { transfer } = state
  if (transfer === null || transfer.isSent) return
  if (state.progress.get(transfer.to)?.match !== state.log.lastIndex) return
  transfer.isSent = true
  send(state, transfer.to, { type: 'timeout-now' })
}

// --- follower ---

/** AppendEntries, receiver's side. The reply leaves after the entries are persisted: both are in one batch. */
export function handleAppend(state: RaftState, append: MessageOf<'append'>): void {
  const { previousIndex, previousTerm, entries } = append
  const outcome = state.log.accept(previousIndex, previousTerm, entries)
  if (outcome === 'contradiction') return
  useConfiguration(state)
  if (outcome === 'mismatch') {
    send(state, append.from, {
      type: 'append-reply',
      success: false,
      ...conflictAt(state, previousIndex)
    })
    return
  }
  const matchIndex = previousIndex + entries.length
  // [RAFT-20] Only what this append vouches for may be committed; later entries of ours may be of an old branch.
  state.log.commitTo(Math.min(append.commit, matchIndex))
  send(state, append.from, { type: 'append-reply', success: true, matchIndex, conflictTerm: 0 })
}

function conflictAt(
  state: RaftState,
  index: LogIndex
): { matchIndex: LogIndex; conflictTerm: Term } {
  const term = state.log.termAt(index)
  if (term === undefined) return { matchIndex: state.log.lastIndex, conflictTerm: 0 }
  return { matchIndex: Math.max(state.log.firstIndexFromTerm(term) - 1, 0), conflictTerm: term }
}
