import type { Configuration, LogIndex, MemberId } from './types.ts'

/** Members that make a majority: any two majorities share a member. */
export function quorumSize(memberCount: number): number {
  return Math.floor(memberCount / 2) + 1
}

/** The highest index that a majority holds, given what each member is known to hold (one number per member). */
export function agreedIndex(held: readonly LogIndex[]): LogIndex {
  const descending = [...held].sort((a, b) => b - a)
  return descending[quorumSize(held.length) - 1] ?? 0
}

/** [RAFT-30] The highest index that a majority of the voters holds and, while joint, a majority of the outgoing ones as well. */
export function jointAgreedIndex(
  configuration: Configuration,
  held: (id: MemberId) => LogIndex
): LogIndex {
  const { voters, outgoing } = configuration
  const agreed = agreedIndex(voters.map(held))
  return outgoing.length === 0 ? agreed : Math.min(agreed, agreedIndex(outgoing.map(held)))
}

/** Where an election stands. */
export type Tally = 'won' | 'lost' | 'open'

/** Counts the answers of the voters so far; an election is lost once those that may still agree are too few. */
export function tally(votes: ReadonlyMap<MemberId, boolean>, voters: readonly MemberId[]): Tally {
  const needed = quorumSize(voters.length)
  let granted = 0
  let refused = 0
  for (const voter of voters) {
    const vote = votes.get(voter)
    if (vote === true) granted++
    if (vote === false) refused++
  }
  if (granted >= needed) return 'won'
  return voters.length - refused < needed ? 'lost' : 'open'
}

/** [RAFT-30] While joint, an election is won only with both majorities, and lost with either. */
export function jointTally(
  configuration: Configuration,
  votes: ReadonlyMap<MemberId, boolean>
): Tally {
  const { voters, outgoing } = configuration
  const result = tally(votes, voters)
  if (outgoing.length === 0 || result === 'lost') return result
  const other = tally(votes, outgoing)
  return result === 'won' ? other : other === 'lost' ? 'lost' : 'open'
}
