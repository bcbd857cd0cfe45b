import { equals, toHex } from '../base/index.ts'
import type { NeedState, Proposal } from './state.ts'

/** Nodes that asked one capsule one question and signed different evaluations of it: a fault or a lie of one of them. */
export type Divergence = {
  readonly gate: 'bid' | 'commit'
  /** What was judged (text CID): a PROPOSE at the bid gate, a COMMIT at the commit gate. */
  readonly subject: string
  /** Who signed which evaluation digest (hex); two or more. */
  readonly evaluations: readonly { readonly digest: string; readonly by: readonly string[] }[]
}

type Signed = { readonly by: string; readonly digest: Uint8Array }

/** Marks a proposal whose attesters signed different evaluations. */
export function compareAttestation(
  state: NeedState,
  { admitted, attestations }: Proposal,
  digest: Uint8Array
): void {
  const [first] = attestations.values()
  if (first !== undefined && !equals(first.envelope.payload.evaluation, digest))
    state.divergent.add(admitted.id)
}

/** Marks the COMMIT when a verdict in the log rests on another evaluation than the first one did. */
export function compareVerdict(state: NeedState, digest: Uint8Array): void {
  const [first] = ofCommit(state)
  if (first !== undefined && !equals(first.digest, digest))
    state.divergent.add(state.commit?.admitted.id ?? '')
}

/** All divergences of a thread, in the order in which they came up. */
export function divergences(state: NeedState): Divergence[] {
  return [...state.divergent].map(subject => {
    const proposal = state.proposals.get(subject)
    const signed = proposal === undefined ? ofCommit(state) : ofProposal(proposal)
    const gate = proposal === undefined ? 'commit' : 'bid'
    return { gate, subject, evaluations: grouped(signed) }
  })
}

/** One evaluation of the bid gate or the commit gate that somebody signed. */
export type SignedEvaluation = {
  readonly gate: 'bid' | 'commit'
  readonly subject: string
  readonly by: string
  readonly digest: Uint8Array
}

/** All that the log has: of ATTEST_PLANs, revealed verdicts and findings. */
export function signedEvaluations(state: NeedState): SignedEvaluation[] {
  const bids = [...state.proposals.values()].flatMap(proposal =>
    ofProposal(proposal).map(signed => ({
      gate: 'bid' as const,
      subject: proposal.admitted.id,
      ...signed
    }))
  )
  const subject = state.commit?.admitted.id ?? ''
  return [
    ...bids,
    ...ofCommit(state).map(signed => ({ gate: 'commit' as const, subject, ...signed }))
  ]
}

function ofProposal({ attestations }: Proposal): Signed[] {
  return [...attestations].map(([by, { envelope }]) => ({
    by,
    digest: envelope.payload.evaluation
  }))
}

/** Revealed verdicts, then findings in disputes. A seal hides its evaluation. */
function ofCommit({ verdicts, disputes }: NeedState): Signed[] {
  const found = [
    ...[...verdicts.values()].flatMap(({ reveal }) => reveal ?? []),
    ...[...disputes.values()].flatMap(({ findings }) => [...findings.values()])
  ]
  return found.flatMap(({ admitted: { envelope } }) => {
    const { evaluation } = envelope.payload
    return evaluation === null ? [] : [{ by: envelope.sender, digest: evaluation }]
  })
}

function grouped(signed: readonly Signed[]): Divergence['evaluations'] {
  const groups = Map.groupBy(signed, ({ digest }) => toHex(digest))
  return [...groups].map(([digest, all]) => ({ digest, by: all.map(({ by }) => by) }))
}
