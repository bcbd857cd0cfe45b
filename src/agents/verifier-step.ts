import { TERMINAL, type ThreadView } from '../core/swarm/index.ts'

/** What a verifier should do about a thread now. */
export type VerifierStep =
  | { readonly kind: 'wait' }
  /** These proposals are sound as far as can be seen before the work is done. */
  | { readonly kind: 'attest-plans'; readonly proposals: readonly string[] }
  /** Judge the COMMIT; `dispute`: again, for a challenge. */
  | { readonly kind: 'judge'; readonly commit: string; readonly dispute: boolean }
  | { readonly kind: 'ended' }

/** The next step of a verifier: a function of the thread alone, so that a restarted verifier takes the same one. */
export function verifierStep(view: ThreadView, did: string): VerifierStep {
  if (TERMINAL.has(view.phase)) return { kind: 'ended' }
  if (view.void !== null) return { kind: 'wait' }
  if (view.requester === did && !view.solo) return { kind: 'wait' }
  switch (view.phase) {
    case 'BIDDING':
      return attestPlans(view, did)
    case 'COMMITTED':
      return judge(view, did)
    case 'VERIFIED':
      return settleDispute(view, did)
    default:
      return { kind: 'wait' }
  }
}

/** Only what is in the log: an attestation that comes before its proposal is void. */
function attestPlans(view: ThreadView, did: string): VerifierStep {
  const proposals = view.proposals.filter(
    proposal =>
      proposal.logged &&
      (proposal.worker !== did || view.solo) &&
      !proposal.attestations.includes(did) &&
      BigInt(proposal.cost) <= BigInt(view.budget)
  )
  if (proposals.length === 0) return { kind: 'wait' }
  return { kind: 'attest-plans', proposals: proposals.map(proposal => proposal.id) }
}

function judge(view: ThreadView, did: string): VerifierStep {
  const { commit } = view
  if (commit === null || (commit.worker === did && !view.solo) || hasJudged(view, did))
    return { kind: 'wait' }
  return { kind: 'judge', commit: commit.id, dispute: false }
}

/** A dispute is for those who were not in the first round, nor started it. */
function settleDispute(view: ThreadView, did: string): VerifierStep {
  const { commit } = view
  const open = view.challenges.filter(
    challenge => challenge.status === 'open' && challenge.challenger !== did
  )
  const found = view.verdicts.filter(verdict => verdict.verifier === did && verdict.dispute).length
  if (commit === null || (commit.worker === did && !view.solo)) return { kind: 'wait' }
  if (hasJudged(view, did) || found >= open.length) return { kind: 'wait' }
  return { kind: 'judge', commit: commit.id, dispute: true }
}

function hasJudged(view: ThreadView, did: string): boolean {
  return view.verdicts.some(verdict => verdict.verifier === did && !verdict.dispute)
}
