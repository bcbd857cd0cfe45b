import {
  isConfiguration,
  isJoint,
  isSameConfiguration,
  isSameSet,
  isVoter,
  membersOf,
  plainConfiguration
} from './configuration.ts'
import { CATCH_UP_ENTRIES_MAX } from './limits.ts'
import { Progress } from './progress.ts'
import { becomeFollower, type RaftState, send } from './state.ts'
import type { ChangeRefusal, Configuration, MemberId } from './types.ts'

/** What a change shall lead to. */
export type MembersTarget = Pick<Configuration, 'voters' | 'learners'>

const EMPTY: Uint8Array = new Uint8Array(0)

/** [RAFT-28] Section 6: a member uses the latest configuration in its log, from the moment it is there. Called whenever the log changed. */
export function useConfiguration(state: RaftState): void {
  const { latest } = state.log.configurations
  if (latest === state.configuration) return
  state.configuration = latest
  state.peers = membersOf(latest).filter(member => member !== state.id)
  if (state.role !== 'leader') return
  const next = state.log.lastIndex + 1
  state.progress = new Map(
    state.peers.map(peer => [peer, state.progress.get(peer) ?? new Progress(next)])
  )
}

/**
 * [RAFT-31] Whether this member may stand for election: it votes in a configuration that may still decide. While the latest one is not committed, one
 * that it replaces may have to elect a leader, and only a member with the longer log can win.
 */
export function mayStand(state: RaftState): boolean {
  return state.log.configurations
    .since(state.log.commit)
    .some(configuration => isVoter(configuration, state.id))
}

/**
 * [RAFT-32] Begins a change of the members: with new voters by a joint configuration (section 6), with new learners alone by one entry, since they decide
 * nothing.
 */
export function changeMembers(state: RaftState, target: MembersTarget): ChangeRefusal | null {
  const { configuration, log } = state
  const wanted = { ...plainConfiguration(target.voters), learners: target.learners }
  if (!state.changesMembers) return 'fixed'
  if (state.role !== 'leader') return 'not-leader'
  if (!isConfiguration(wanted)) return 'malformed'
  if (state.transfer !== null) return 'transferring'
  if (isJoint(configuration) || log.configurations.latestIndex > log.commit)
    return 'change-under-way'
  if (log.termAt(log.commit) !== state.term) return 'too-early'
  if (isSameConfiguration(configuration, wanted)) return 'unchanged'
  if (!wanted.voters.every(voter => isCaughtUp(state, voter))) return 'not-caught-up'
  const isSimple = isSameSet(configuration.voters, wanted.voters)
  append(state, isSimple ? wanted : { ...wanted, outgoing: configuration.voters })
  return null
}

/** Section 6: new voters catch up before they vote, or the group could commit nothing until they did. */
function isCaughtUp(state: RaftState, voter: MemberId): boolean {
  if (isVoter(state.configuration, voter) || voter === state.id) return true
  const progress = state.progress.get(voter)
  return (
    progress !== undefined &&
    progress.silentTicks <= state.electionTicksMin &&
    progress.match + CATCH_UP_ENTRIES_MAX >= state.log.lastIndex
  )
}

/** [RAFT-33] Section 6: once C_old,new is committed, neither set can decide alone, and whoever leads moves on to C_new. */
export function leaveJoint(state: RaftState): void {
  const { configuration, log } = state
  if (!isJoint(configuration) || log.configurations.latestIndex > log.commit) return
  append(state, { ...configuration, outgoing: [] })
}

/**
 * [RAFT-34] Section 6: a leader that is not in C_new leads until C_new is committed, counting itself in no majority, and steps down then. It
 * names a successor that holds the whole log, so that nobody waits for a timeout.
 */
export function retireIfRemoved(state: RaftState): void {
  const { configuration, log } = state
  if (isVoter(configuration, state.id) || log.configurations.latestIndex > log.commit) return
  const successor = configuration.voters.find(
    voter => state.progress.get(voter)?.match === log.lastIndex
  )
  if (successor !== undefined) send(state, successor, { type: 'timeout-now' })
  becomeFollower(state, state.term, null)
}

function append(state: RaftState, configuration: Configuration): void {
  state.log.append(state.term, EMPTY, configuration)
  useConfiguration(state)
}
