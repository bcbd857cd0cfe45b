import type { Admitted, Decision, Fence, Outcome, Standing } from '../envelope/index.ts'
import type { Usage } from '../policy/index.ts'
import type { Carried } from '../roster/index.ts'
import {
  PLANNED_BYTES_MAX,
  PLANNED_FACTS_MAX,
  QUOTE_LENGTH_MAX,
  STRANGERS_BYTES_MAX,
  STRANGERS_FACTS_MAX
} from './limits.ts'

/** Where the fold stands. */
export type NeedPhase =
  /** The group takes bids. */
  | 'BIDDING'
  | 'DECIDED'
  | 'CLAIMED'
  /** A COMMIT is in the log; verifiers seal their verdicts. */
  | 'COMMITTED'
  | 'REVEALING'
  /** K_result verdicts passed; the challenge window runs. */
  | 'VERIFIED'
  | 'FINAL'
  | 'INVALID'
  | 'EXPIRED'

export type Proposal = {
  readonly admitted: Admitted<'PROPOSE'>
  /** ATTEST_PLANs by sender; the first of each counts. */
  readonly attestations: Map<string, Admitted<'ATTEST_PLAN'>>
  /** Those that count under the caps of the NEED's terms, in log order. */
  readonly counted: Admitted<'ATTEST_PLAN'>[]
}

export type Lease = {
  readonly holder: string
  readonly fence: Fence
  expiresAt: number
  readonly ttlMs: number
  progress: number
}

export type Verdict = {
  readonly verifier: string
  readonly seal: Uint8Array
  /** What the verifier said of itself: the caps of the NEED's terms count by it. */
  readonly standing: Standing | null
  /** Set by the reveal that matches the seal. */
  reveal: {
    readonly pass: boolean
    readonly admitted: Admitted<'ATTEST' | 'REJECT'>
    readonly reasons: readonly string[]
  } | null
}

export type Dispute = {
  readonly admitted: Admitted<'CHALLENGE'>
  readonly endsAt: number
  /** Findings of verifiers who took no part before, by sender. */
  readonly findings: Map<
    string,
    {
      readonly pass: boolean
      readonly admitted: Admitted<'ATTEST' | 'REJECT'>
      readonly reasons: readonly string[]
    }
  >
  status: 'open' | 'upheld' | 'dismissed'
}

export type PlannedRoom = { facts: number; bytes: number }

/** One committed log position with its log time: who, when, where. */
export type At = { readonly stamp: number; readonly term: number; readonly index: number }

/** The state of one NEED: a function of NEED, FORM and the committed entries. */
export type NeedState = {
  readonly need: Admitted<'NEED'>
  readonly form: Admitted<'FORM'>
  /** The decision of an earlier epoch that this group is bound to, or null (R11). */
  readonly carried: Carried | null
  phase: NeedPhase
  /** Why the thread waits or how it ended, one sentence; deterministic. */
  reason: string
  at: At
  logHash: Uint8Array
  /** Log time of the first stamped entry: windows count from here. */
  startedAt: number | null
  readonly logged: Set<string>
  /** `sender lamport` of what was applied: a sender says one thing with one Lamport value. */
  readonly said: Set<string>
  /** UPDATE_PLANs in log order. */
  readonly planned: Admitted<'UPDATE_PLAN'>[]
  /** How much of the log's room for them is used. */
  readonly plannedBy: { readonly insiders: PlannedRoom; readonly strangers: PlannedRoom }
  readonly proposals: Map<string, Proposal>
  decision: Decision | null
  lease: Lease | null
  /** Why the last lease was lost or given back, if one was. */
  setback: string | null
  /** Leases that were granted. */
  claims: number
  /** Times that the worker gave the task back. */
  yields: number
  commit: {
    readonly admitted: Admitted<'COMMIT'>
    readonly fence: Fence
    readonly stamp: number
    /** What the worker had used when it came. */
    readonly usage: Usage
  } | null
  readonly verdicts: Map<string, Verdict>
  /** Log time at which the current phase ends by itself, or null. */
  deadline: number | null
  readonly disputes: Map<string, Dispute>
  /** PROPOSEs and the COMMIT of which the log has two different evaluations; see `divergences`. Nothing follows from it. */
  readonly divergent: Set<string>
  /** Log time from which no challenge is taken any more; null before VERIFIED. */
  challengeUntil: number | null
  outcome: Outcome | null
}

/** Single-node mode: the requester may bid for and attest its own NEED, and its certificates say so. */
export function isSolo(state: NeedState): boolean {
  return state.form.envelope.payload.tier === 'single'
}

/** A state that changes apart from this one. Nothing has been worked on or judged while a group takes bids. */
export function copyWhileBidding(state: NeedState): NeedState {
  const proposals = new Map<string, Proposal>()
  for (const [id, { admitted, attestations, counted }] of state.proposals)
    proposals.set(id, { admitted, attestations: new Map(attestations), counted: [...counted] })
  return {
    ...state,
    logged: new Set(state.logged),
    said: new Set(state.said),
    planned: [...state.planned],
    plannedBy: {
      insiders: { ...state.plannedBy.insiders },
      strangers: { ...state.plannedBy.strangers }
    },
    proposals,
    verdicts: new Map(),
    disputes: new Map(),
    divergent: new Set(state.divergent)
  }
}

/** Adds an update to the plan, while there is room. */
export function applyUpdatePlan(state: NeedState, admitted: Admitted<'UPDATE_PLAN'>): void {
  if (!hasPlanRoom(state, admitted)) return
  const { sender, payload } = admitted.envelope
  const room = isInsider(state, sender) ? state.plannedBy.insiders : state.plannedBy.strangers
  room.facts += payload.facts.length
  room.bytes += admitted.bytes.length
  state.planned.push(admitted)
}

/** Whether the plan of the log takes another update of this size by its sender. */
export function hasPlanRoom(
  state: NeedState,
  { bytes, envelope }: Admitted<'UPDATE_PLAN'>
): boolean {
  const { insiders, strangers } = state.plannedBy
  const [room, factsMax, bytesMax] = isInsider(state, envelope.sender)
    ? [insiders, PLANNED_FACTS_MAX, PLANNED_BYTES_MAX]
    : [strangers, STRANGERS_FACTS_MAX, STRANGERS_BYTES_MAX]
  return (
    room.facts + envelope.payload.facts.length <= factsMax && room.bytes + bytes.length <= bytesMax
  )
}

function isInsider({ need, decision }: NeedState, sender: string): boolean {
  return sender === need.envelope.sender || sender === decision?.worker
}

/** A stranger's text inside a reason: bounded and well-formed, or the outcome could not be written down. */
export function quote(text: string): string {
  return text.slice(0, QUOTE_LENGTH_MAX).toWellFormed()
}
