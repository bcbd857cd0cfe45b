import { compareText } from '../base/index.ts'
import type { Admitted } from '../envelope/index.ts'
import { viewDigest } from '../plan/index.ts'
import { compareAttestation } from './divergence.ts'
import { FINDINGS_MAX, PROPOSALS_MAX } from './limits.ts'
import { planHeadsOf, planOfLog } from './log-plan.ts'
import { isSolo, type NeedState, type Proposal } from './state.ts'
import { doesCount } from './terms.ts'

/** A bid counts while bidding lasts, within the budget, once for each worker, and not from the requester. */
export function mayPropose(state: NeedState, admitted: Admitted<'PROPOSE'>): boolean {
  if (state.phase !== 'BIDDING' || state.proposals.size >= PROPOSALS_MAX) return false
  const { sender, payload } = admitted.envelope
  if (payload.need.toString() !== state.need.id) return false
  // A group that is bound to a decision takes no other bid, so it can make no other (R11).
  if (state.carried !== null && state.carried.proposal !== admitted.id) return false
  if (sender === state.need.envelope.sender && !isSolo(state)) return false
  if (payload.ballot.cost > state.need.envelope.payload.budget) return false
  for (const proposal of state.proposals.values()) {
    if (proposal.admitted.envelope.sender === sender) return false
  }
  return true
}

/** Files a bid that counts. */
export function applyPropose(state: NeedState, admitted: Admitted<'PROPOSE'>): void {
  if (!mayPropose(state, admitted)) return
  state.proposals.set(admitted.id, { admitted, attestations: new Map(), counted: [] })
}

/** The proposal that an ATTEST_PLAN counts for: once for each verifier, from neither proposer nor requester. */
export function attestedBy(
  state: NeedState,
  { envelope }: Admitted<'ATTEST_PLAN'>
): Proposal | null {
  if (state.phase !== 'BIDDING') return null
  const { sender, payload } = envelope
  const proposal = state.proposals.get(payload.proposal.toString())
  if (proposal === undefined || proposal.attestations.has(sender)) return null
  if (proposal.attestations.size >= FINDINGS_MAX) return null
  const related =
    sender === proposal.admitted.envelope.sender || sender === state.need.envelope.sender
  return related && !isSolo(state) ? null : proposal
}

/** Files an attestation that counts. */
export function applyAttestPlan(state: NeedState, admitted: Admitted<'ATTEST_PLAN'>): void {
  const { sender, payload } = admitted.envelope
  const proposal = attestedBy(state, admitted)
  if (proposal === null) return
  proposal.attestations.set(sender, admitted)
  if (doesCount(state, proposal, payload.standing)) proposal.counted.push(admitted)
  compareAttestation(state, proposal, payload.evaluation)
}

/** Proposals with K_plan attestations that count, best first: cost, then ETA, then id. */
export function eligible(state: NeedState): readonly Proposal[] {
  const { kPlan } = state.form.envelope.payload
  const enough = [...state.proposals.values()].filter(proposal => proposal.counted.length >= kPlan)
  return enough.sort(compareProposals)
}

function compareProposals(a: Proposal, b: Proposal): number {
  const x = a.admitted.envelope.payload.ballot
  const y = b.admitted.envelope.payload.ballot
  if (x.cost !== y.cost) return x.cost < y.cost ? -1 : 1
  return x.etaMs - y.etaMs || compareText(a.admitted.id, b.admitted.id)
}

/** Log time from which a decision may be made. What is carried has been through a bid window already. */
export function bidsUntil(state: NeedState, startedAt: number, bidMs: number): number {
  return state.carried === null ? startedAt + bidMs : startedAt
}

/** Decides once the bid window has passed and a proposal is eligible. The only place where a decision is made. */
export function decideIfDue(state: NeedState): boolean {
  if (state.phase !== 'BIDDING' || state.startedAt === null) return false
  const { slot, windows } = state.need.envelope.payload
  const { epoch } = state.form.envelope.payload
  if (state.at.stamp < bidsUntil(state, state.startedAt, windows.bidMs)) return false
  const best = eligible(state)[0]
  if (best === undefined) return false
  const attestations = [...best.counted].sort((a, b) => compareText(a.id, b.id))
  const plan = planOfLog(state, { proposal: best.admitted.cid, epoch })
  state.decision = {
    need: state.need.cid,
    slot,
    epoch,
    proposal: best.admitted.cid,
    worker: best.admitted.envelope.sender,
    term: state.at.term,
    index: state.at.index,
    attestations: attestations.map(attestation => attestation.cid),
    logHash: state.logHash,
    planHeads: planHeadsOf(state, plan),
    planDigest: viewDigest(plan.view())
  }
  state.phase = 'DECIDED'
  state.reason = 'waiting for the decided worker to claim the task'
  return true
}

/** Says what bidding waits for. */
export function biddingReason(state: NeedState): string {
  const { kPlan } = state.form.envelope.payload
  if (state.carried !== null && eligible(state).length === 0)
    return 'waiting for the proposal that an earlier epoch decided, and its attestations'
  if (state.proposals.size === 0) return 'no proposal: no worker with this capability has bid'
  if (eligible(state).length === 0)
    return `${state.proposals.size} proposal(s), but none has the ${kPlan} independent ATTEST_PLAN(s) it needs`
  return 'waiting for the bid window to pass'
}
