import { equals } from '../base/index.ts'
import type { Decision } from '../envelope/index.ts'
import { decisionDigest, EVIDENCE_FORMAT, type EvidenceOf } from '../roster/index.ts'
import type { Context } from './context.ts'
import { isConvicted, keepEvidence } from './evidence-keep.ts'
import type { SeenSeal, SeenVote } from './statements.ts'
import type { Thread } from './thread.ts'

/** Two SEALs of one member for one epoch. */
export function compareSeals(
  context: Context,
  thread: Thread,
  one: SeenSeal,
  other: SeenSeal
): void {
  const { member, epoch } = one
  if (member !== other.member || epoch !== other.epoch || saysSame(one.seal, other.seal)) return
  if (isConvicted(context, thread, 'two-seals', epoch, member)) return
  keepEvidence(context, {
    format: EVIDENCE_FORMAT,
    offence: 'two-seals',
    member,
    need: thread.need.bytes,
    epoch,
    seals: [one.seal, other.seal]
  })
}

/** A SEAL and a vote of one member in one epoch: it shows the decision that was voted for, and there is no vote for an outcome. */
export function compareSealWithVote(
  context: Context,
  thread: Thread,
  { member, epoch, seal }: SeenSeal,
  vote: SeenVote
): void {
  if (member !== vote.member || epoch !== vote.epoch) return
  const isShown = seal.digest !== null && equals(seal.digest, vote.digest)
  if (vote.stage === 'decide' && isShown) return
  if (isConvicted(context, thread, 'sealed-vote', epoch, member)) return
  const { stage, form, digest, sig } = vote
  keepEvidence(context, {
    format: EVIDENCE_FORMAT,
    offence: 'sealed-vote',
    member,
    stage,
    vote: { form, digest, sig },
    seal
  })
}

/** A SEAL that shows the digest of a decision, and another PROPOSE than is in it. */
export function compareSealWithDecision(
  context: Context,
  thread: Thread,
  { member, epoch, seal }: SeenSeal,
  decision: Decision
): void {
  if (seal.digest === null || seal.proposal?.toString() === decision.proposal.toString()) return
  if (isConvicted(context, thread, 'false-seal', epoch, member)) return
  if (!equals(seal.digest, decisionDigest(decision))) return
  keepEvidence(context, { format: EVIDENCE_FORMAT, offence: 'false-seal', member, decision, seal })
}

type Seal = EvidenceOf<'two-seals'>['seals'][0]

function saysSame(one: Seal, other: Seal): boolean {
  return (
    equals(one.roster, other.roster) &&
    isSame(one.digest, other.digest) &&
    one.proposal?.toString() === other.proposal?.toString()
  )
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one === null || other === null ? one === other : equals(one, other)
}
