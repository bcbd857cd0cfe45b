import type { LogIndex, MemberId } from './types.ts'

/** Members that make a majority: any two majorities share a member. */
export function quorumSize(memberCount: number): number {
  return Math.floor(memberCount / 2) + 1
}

/** The highest index that a majority holds, given what each member is known to hold (one number per member). */
export function agreedIndex(held: readonly LogIndex[]): LogIndex {
  const descending = [...held].sort((a, b) => b - a)
  return descending[quorumSize(held.length) - 1] ?? 0
}

/** Where an election stands. */
export type Tally = 'won' | 'lost' | 'open'

/** Counts the answers so far; an election is lost once the members that may still agree are too few. */
export function tally(votes: ReadonlyMap<MemberId, boolean>, memberCount: number): Tally {
  const needed = quorumSize(memberCount)
  let granted = 0
  for (const vote of votes.values()) if (vote) granted++
  if (granted >= needed) return 'won'
  const refused = votes.size - granted
  return memberCount - refused < needed ? 'lost' : 'open'
}
