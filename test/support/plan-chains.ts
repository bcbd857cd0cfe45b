/** Signed chains of UPDATE_PLANs of one thread, as entries of its plan document. */
import type { Admitted, Fact } from '../../src/core/envelope/index.ts'
import { type PlanEntry, planEntryOf } from '../../src/core/plan/index.ts'
import type { Signer } from '../../src/ports/index.ts'
import { SIGNERS, sampleDraft } from './sample-drafts.ts'
import { sampleEnvelope, sign } from './sample-envelopes.ts'

/** A thread's NEED. */
export const PLAN_NEED = sampleEnvelope('NEED')
/** The thread that the chains belong to. */
export const PLAN_THREAD: string = PLAN_NEED.id

export type ChainInit = {
  readonly signer?: Signer
  readonly session?: number
  readonly count: number
  /** Facts of each update. */
  readonly facts?: number
  /** Makes another chain of the same signer and session. */
  readonly salt?: string
  /** Goes on from this one. */
  readonly after?: Admitted<'UPDATE_PLAN'>
}

/** Updates that follow each other. */
export function planChain(init: ChainInit): Admitted<'UPDATE_PLAN'>[] {
  const { signer = SIGNERS[0] as Signer, session = 0, count, facts = 1, salt = '' } = init
  const updates: Admitted<'UPDATE_PLAN'>[] = []
  let last = init.after
  for (let at = 0; at < count; at++) {
    const seq = (last?.envelope.payload.seq ?? 0) + 1
    const draft = {
      ...sampleDraft('UPDATE_PLAN'),
      thread: PLAN_NEED.cid,
      payload: { session, seq, previous: last?.cid ?? null, facts: factsAt(seq, facts, salt) }
    }
    last = sign(draft, { signer, lamport: 100 + seq })
    updates.push(last)
  }
  return updates
}

/** The entry of an envelope in the thread. */
export function entryOf(admitted: Admitted): PlanEntry {
  const entry = planEntryOf(PLAN_THREAD, admitted)
  if (entry === null) throw new TypeError('the sample has no place in the plan')
  return entry
}

function factsAt(seq: number, count: number, salt: string): Fact[] {
  return Array.from({ length: count }, (_, at) => ({
    kind: 'ANNOTATE' as const,
    task: `task-${seq}`,
    key: `key-${at}`,
    value: `value ${seq}/${at} ${salt}`
  }))
}
