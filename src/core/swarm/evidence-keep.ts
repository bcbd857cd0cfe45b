import {
  checkEvidence,
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  evidenceId,
  type Offence
} from '../roster/index.ts'
import type { Context } from './context.ts'
import type { Thread } from './thread.ts'

/** Keeps a proof that holds and says more than is known: on disk, in the view, and as an event. */
export function keepEvidence(context: Context, evidence: Evidence): void {
  const bytes = encodeEvidence(evidence)
  const id = evidenceId(bytes)
  if (context.evidence.has(id)) return
  const checked = checkEvidence(evidence, context.verify)
  if (!checked.ok) return
  const { thread, offence, convicted } = checked.value
  const isHere = (did: string): boolean => context.connected.has(did)
  if (!context.evidence.put({ id, bytes, conviction: checked.value }, isHere)) return
  context.persist({ type: 'evidence', bytes }, { sync: true })
  context.observe({ type: 'evidence', thread, id, offence, convicted, atMs: context.nowMs })
}

/** Whether somebody stands convicted already, so that there is no need for another proof. Asked before any signature is looked at. */
export function isConvicted(
  context: Context,
  thread: Thread,
  offence: Offence,
  epoch: number,
  did: string
): boolean {
  return context.evidence.convicts(thread.id, { offence, epoch, convicted: [did] })
}

/** Puts back what is on disk. What another release wrote, or a hand changed, is left aside: it proves nothing here. */
export function restoreEvidence(context: Context, bytes: Uint8Array): void {
  const decoded = decodeEvidence(bytes)
  if (decoded.ok) keepEvidence(context, decoded.value)
}
