import type { BidSubject, CommitSubject, Usage } from '../policy/index.ts'
import type { NeedState } from './state.ts'

/** What the bid gate is asked about a proposal of the log; null when it has no such. A function of the log, so the same at every verifier. */
export function bidSubjectOf(state: NeedState, proposalId: string): BidSubject | null {
  const proposal = state.proposals.get(proposalId)
  if (proposal === undefined) return null
  const { sender, payload } = proposal.admitted.envelope
  return {
    thread: state.need.id,
    requester: state.need.envelope.sender,
    epoch: state.form.envelope.payload.epoch,
    need: state.need.envelope.payload,
    proposal: proposalId,
    sender,
    ballot: payload.ballot,
    standing: payload.standing,
    patch: payload.patch,
    shardDependencies: payload.shardDependencies
  }
}

/** What the commit gate is asked about the COMMIT of the log; null when that is another one, or none. */
export function commitSubjectOf(state: NeedState, commitId: string): CommitSubject | null {
  const { commit, decision, need } = state
  const proposal = state.proposals.get(String(decision?.proposal))
  if (commit === null || commit.admitted.id !== commitId || proposal === undefined) return null
  const { sender, epoch, fence, payload } = commit.admitted.envelope
  const bid = proposal.admitted.envelope.payload
  return {
    thread: need.id,
    requester: need.envelope.sender,
    sender,
    epoch,
    fence,
    need: need.envelope.payload,
    ballot: bid.ballot,
    standing: bid.standing,
    committee: proposal.counted.map(({ envelope }) => ({
      did: envelope.sender,
      standing: envelope.payload.standing
    })),
    usage: commit.usage,
    commit: payload
  }
}

/** What the decided worker has used up to the entry that is being applied, its COMMIT. */
export function usageOf(state: NeedState, worker: string): Usage {
  let messages = 0
  for (const said of state.said) if (said.startsWith(`${worker} `)) messages += 1
  const updates = state.planned.filter(
    ({ envelope }) => envelope.verb === 'UPDATE_PLAN' && envelope.sender === worker
  ).length
  const { claims, yields } = state
  return { messages, updates, claims, yields, logMs: state.at.stamp - (state.startedAt ?? 0) }
}
