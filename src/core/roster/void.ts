import type { Conviction } from './check-evidence.ts'

/** A decision or an outcome, or the group that is to make it: of which NEED, of whom, in which epoch. */
export type VoidSubject = {
  readonly thread: string
  readonly requester: string
  readonly epoch: number
}

/**
 * Whether evidence makes void what a group decided (EVIDENCE-15): its requester signed two FORMs for the group's epoch or one before
 * it, on whose FORM the group rests. Nobody but the requester can bring that about: a FORM in its name needs its key.
 */
export function isVoidedBy({ thread, requester, epoch }: VoidSubject, proof: Conviction): boolean {
  return (
    proof.offence === 'two-forms' &&
    proof.thread === thread &&
    proof.convicted.includes(requester) &&
    proof.epoch <= epoch
  )
}
