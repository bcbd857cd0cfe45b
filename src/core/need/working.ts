import { type Admitted, compareFence, type Envelope, type Fence } from '../envelope/index.ts'
import { YIELDS_MAX } from './limits.ts'
import { type NeedState, quote } from './state.ts'
import { usageOf } from './subjects.ts'

/** Whether the CLAIM would take the lease now. */
export function mayClaim(
  { phase, decision, lease }: NeedState,
  { envelope }: Admitted<'CLAIM'>
): boolean {
  if (phase !== 'DECIDED' || decision === null || lease !== null) return false
  if (envelope.epoch !== decision.epoch || envelope.sender !== decision.worker) return false
  return envelope.payload.task.toString() === decision.proposal.toString()
}

/** The decided worker takes the lease; the fence is the position of this entry (R15). */
export function applyClaim(state: NeedState, admitted: Admitted<'CLAIM'>): void {
  const { sender, payload } = admitted.envelope
  if (!mayClaim(state, admitted) || state.decision === null) return
  const ttlMs = Math.min(payload.leaseTtlMs, state.need.envelope.payload.windows.leaseTtlMs)
  const fence: Fence = [state.decision.epoch, state.at.term, state.at.index]
  state.lease = { holder: sender, fence, expiresAt: state.at.stamp + ttlMs, ttlMs, progress: 0 }
  state.claims += 1
  state.phase = 'CLAIMED'
  state.deadline = state.lease.expiresAt
  state.reason =
    state.setback === null ? 'the worker is at it' : `the worker tries again: ${state.setback}`
}

/** Renews the lease of its holder. */
export function applyHeartbeat(state: NeedState, admitted: Admitted<'HEARTBEAT'>): void {
  const { lease } = state
  if (lease === null || !holdsLease(state, admitted.envelope)) return
  lease.expiresAt = state.at.stamp + lease.ttlMs
  lease.progress = Math.max(lease.progress, admitted.envelope.payload.progress)
  state.deadline = lease.expiresAt
}

/** The holder gives the lease back by will. */
export function applyYield(state: NeedState, admitted: Admitted<'YIELD'>): void {
  if (!holdsLease(state, admitted.envelope)) return
  const why = quote(admitted.envelope.payload.reason)
  loseLease(state, `the worker gave the task back: ${why}`)
  state.yields += 1
  if (state.yields < YIELDS_MAX) return
  state.phase = 'EXPIRED'
  state.reason = `the worker gave the task back ${YIELDS_MAX} times: ${why}`
}

/** The lease ran out in log time without a heartbeat. */
export function scavengeIfDue(state: NeedState): boolean {
  if (state.phase !== 'CLAIMED' || state.lease === null || state.at.stamp < state.lease.expiresAt)
    return false
  loseLease(state, 'the worker lost its lease: no heartbeat in time')
  return true
}

function loseLease(state: NeedState, reason: string): void {
  state.lease = null
  state.setback = reason
  state.phase = 'DECIDED'
  state.deadline = null
  state.reason = reason
}

/** Whether the COMMIT would be the result now: its holder's, with at least one output. */
export function mayCommit(state: NeedState, { envelope }: Admitted<'COMMIT'>): boolean {
  const { outputs, task } = envelope.payload
  return (
    holdsLease(state, envelope) &&
    outputs.length > 0 &&
    task.toString() === state.decision?.proposal.toString()
  )
}

/** The result of the lease's holder. Ends the lease. */
export function applyCommit(state: NeedState, admitted: Admitted<'COMMIT'>): void {
  if (!mayCommit(state, admitted) || state.lease === null) return
  state.commit = {
    admitted,
    fence: state.lease.fence,
    stamp: state.at.stamp,
    usage: usageOf(state, admitted.envelope.sender)
  }
  state.lease = null
  state.phase = 'COMMITTED'
  state.deadline = state.at.stamp + state.need.envelope.payload.windows.verifyMs
  state.reason = 'waiting for verifiers to seal their verdicts'
}

/** Whether this is said under the lease that runs. */
export function holdsLease(state: NeedState, envelope: Envelope): boolean {
  const { lease } = state
  if (state.phase !== 'CLAIMED' || lease === null || envelope.fence === null) return false
  const current = compareFence(envelope.fence, lease.fence) === 0
  return current && envelope.sender === lease.holder && state.at.stamp < lease.expiresAt
}
