import { assert, ok, SparseMap } from '../base/index.ts'
import {
  type Admitted,
  type Decision,
  type Envelope,
  holdIn,
  type Outcome,
  parseEnvelope,
  signedBytes,
  type Verb
} from '../envelope/index.ts'
import { settle } from '../ledger/index.ts'
import { viewDigest } from '../plan/index.ts'
import { carriedBy, type Verify } from '../roster/index.ts'
import {
  applyAttestPlan,
  applyPropose,
  attestedBy,
  biddingReason,
  bidsUntil,
  decideIfDue,
  eligible,
  mayPropose
} from './bidding.ts'
import { CHAIN_START, type CommittedEntry, chainHash, decodeEntry } from './entry.ts'
import {
  applyChallenge,
  applyVerdict,
  closeChallengesIfDue,
  closeSealingIfDue,
  judgeIfDue,
  mayChallenge,
  mayJudge
} from './judging.ts'
import { planOfLog } from './log-plan.ts'
import { applyUpdatePlan, copyWhileBidding, hasPlanRoom, type NeedState } from './state.ts'
import {
  applyClaim,
  applyCommit,
  applyHeartbeat,
  applyYield,
  holdsLease,
  mayClaim,
  mayCommit,
  scavengeIfDue
} from './working.ts'

/** What applying one entry brought about. */
export type Applied = {
  readonly changed: boolean
  readonly decided: Decision | null
  readonly ended: Outcome | null
}

/** A decision that is not committed, and the entry that makes it. */
export type Foreseen = { readonly decision: Decision; readonly entry: CommittedEntry }

/** Verbs that members order in the log. The others are facts about the group (FORM, DECIDE, FINALIZE) or outside threads. */
export const LOGGED_VERBS: ReadonlySet<Verb> = new Set<Verb>([
  'PROPOSE',
  'ATTEST_PLAN',
  'CLAIM',
  'HEARTBEAT',
  'YIELD',
  'RELEASE',
  'UPDATE_PLAN',
  'COMMIT',
  'ATTEST',
  'REJECT',
  'CHALLENGE',
  'RECONCILE'
])

export type NeedLogInit = {
  readonly need: Admitted<'NEED'>
  /** Checked against `need` and `previous` (roster's `checkForm`). */
  readonly form: Admitted<'FORM'>
  /** FORMs of earlier epochs, checked, oldest first. */
  readonly previous: readonly Admitted<'FORM'>[]
  readonly verify: Verify
  /**
   * The envelope with these bytes if it has passed the door here: then it is neither parsed nor verified again, nor held twice. Absent: every
   * entry speaks for itself alone.
   */
  readonly known?: (bytes: Uint8Array) => Admitted | undefined
}

/**
 * The life of one NEED as a fold over its group's committed entries. The same entries give the same decision and the
 * same outcome bytes at every member, observer and replayer (P2). Entries that break a rule change nothing: the log is ordered, not trusted.
 */
export class NeedLog {
  readonly state: NeedState
  readonly #verify: Verify
  readonly #known: NonNullable<NeedLogInit['known']>

  constructor(init: NeedLogInit, state: NeedState = stateBefore(init)) {
    this.#verify = init.verify
    this.#known = init.known ?? (() => undefined)
    this.state = state
  }

  /**
   * What would be decided, and by which of them, if these next entries were committed; null when nothing would. Changes nothing here.
   */
  foresee(entries: readonly CommittedEntry[]): Foreseen | null {
    const { state } = this
    if (state.phase !== 'BIDDING' || entries.length === 0) return null
    const init = { need: state.need, form: state.form, previous: [] }
    const ahead = new NeedLog(
      { ...init, verify: this.#verify, known: this.#known },
      copyWhileBidding(state)
    )
    for (const entry of entries) {
      const { decided } = ahead.apply(entry)
      if (decided !== null) return { decision: decided, entry }
    }
    return null
  }

  /** Applies the next committed entry. Entries come in order, each once. After the outcome nothing changes any more. */
  apply(entry: CommittedEntry): Applied {
    const { state } = this
    assert(
      entry.index === state.at.index + 1 || state.outcome !== null,
      'entries are applied in order'
    )
    if (state.outcome !== null) return { changed: false, decided: null, ended: null }
    state.logHash = chainHash(state.logHash, entry)
    const body = decodeEntry(entry.data)
    // An entry whose time does not advance is void: no rule may see time stand still or go back (R14).
    const stamp = body !== null && body.stamp > state.at.stamp ? body.stamp : null
    state.at = { stamp: stamp ?? state.at.stamp, term: entry.term, index: entry.index }
    if (body === null || stamp === null) return { changed: false, decided: null, ended: null }
    state.startedAt ??= stamp
    const decidedBefore = state.decision
    this.#passDeadlines()
    if (body.envelope !== null) this.#applyEnvelope(body.envelope)
    this.#passDeadlines()
    return {
      changed: true,
      decided: decidedBefore === null ? state.decision : null,
      ended: state.outcome
    }
  }

  /** Log time at which the group needs a tick so that a deadline takes effect; null when it waits for envelopes only. */
  nextDeadline(): number | null {
    const { state } = this
    if (state.outcome !== null) return null
    const { windows, expiresAt } = state.need.envelope.payload
    if (state.startedAt === null) return 0
    if (state.phase === 'BIDDING')
      return eligible(state).length > 0
        ? Math.min(bidsUntil(state, state.startedAt, windows.bidMs), expiresAt)
        : expiresAt
    if (state.phase === 'DECIDED') return expiresAt
    if (state.phase === 'CLAIMED') return Math.min(state.deadline ?? expiresAt, expiresAt)
    return state.deadline
  }

  #passDeadlines(): void {
    const { state } = this
    if (state.outcome !== null) return
    // Each step may make the next one due: at most once around the phases.
    while (
      scavengeIfDue(state) ||
      closeSealingIfDue(state) ||
      judgeIfDue(state) ||
      closeChallengesIfDue(state)
    ) {
      if (isEnd(state.phase)) break
    }
    this.#expireIfDue()
    if (isEnd(state.phase)) this.#end()
    else decideIfDue(state)
  }

  /** No result by `expiresAt`: the thread ends. Once there is a COMMIT its own windows bound the rest. */
  #expireIfDue(): void {
    const { state } = this
    const waiting =
      state.phase === 'BIDDING' || state.phase === 'DECIDED' || state.phase === 'CLAIMED'
    if (!waiting || state.at.stamp < state.need.envelope.payload.expiresAt) return
    const why = state.phase === 'BIDDING' ? biddingReason(state) : state.reason
    state.phase = 'EXPIRED'
    state.reason = `expired: ${why}`
  }

  #applyEnvelope(bytes: Uint8Array): void {
    const { state } = this
    const known = this.#known(bytes)
    if (known !== undefined) holdIn(known, bytes)
    const parsed = known === undefined ? parseEnvelope(bytes) : ok(known)
    if (!parsed.ok || state.outcome !== null) return
    const { value: admitted } = parsed
    const { envelope } = admitted
    if (state.logged.has(admitted.id) || !LOGGED_VERBS.has(envelope.verb)) return
    if (envelope.thread?.toString() !== state.need.id || envelope.notAfter < state.at.stamp) return
    // What was said in another attempt is void in this one (R15).
    if (isOfOtherEpoch(state, admitted)) return
    const isGood =
      known !== undefined || this.#verify(envelope.sender, signedBytes(admitted), envelope.sig)
    if (!isGood) return
    state.logged.add(admitted.id)
    // The door sees to this too, but two members may have let in two different ones.
    if (isSaid(state, admitted)) return
    state.said.add(saidKey(admitted))
    const apply = APPLY[envelope.verb] as
      | ((state: NeedState, admitted: Admitted) => void)
      | undefined
    apply?.(state, admitted)
    if (state.phase === 'BIDDING') state.reason = biddingReason(state)
  }

  #end(): void {
    const { state } = this
    const { slot, budget, verifyBounty } = state.need.envelope.payload
    const { epoch } = state.form.envelope.payload
    const revealed = [...state.verdicts.values()].flatMap(verdict => verdict.reveal ?? [])
    const right = revealed.filter(reveal => reveal.pass === (state.phase === 'FINAL'))
    const attestations = state.phase === 'EXPIRED' ? [] : right.map(reveal => reveal.admitted)
    const proposal =
      state.decision === null ? undefined : state.proposals.get(state.decision.proposal.toString())
    const paid = state.phase === 'FINAL' && proposal !== undefined
    state.outcome = {
      need: state.need.cid,
      slot,
      epoch,
      result: state.phase as 'FINAL' | 'INVALID' | 'EXPIRED',
      reason: state.reason,
      proposal: proposal?.admitted.cid ?? null,
      commit: state.commit?.admitted.cid ?? null,
      outputs:
        state.phase === 'FINAL' ? (state.commit?.admitted.envelope.payload.outputs ?? []) : [],
      attestations: attestations.map(admitted => admitted.cid),
      challenges: [...state.disputes.values()].map(dispute => dispute.admitted.cid),
      payouts: settle({
        requester: state.need.envelope.sender,
        budget,
        verifyBounty,
        worker: paid
          ? {
              did: proposal.admitted.envelope.sender,
              cost: proposal.admitted.envelope.payload.ballot.cost
            }
          : null,
        verifiers: attestations.map(admitted => admitted.envelope.sender)
      }).map(payout => ({ ...payout })),
      fence: state.commit?.fence ?? null,
      stamp: state.at.stamp,
      term: state.at.term,
      index: state.at.index,
      logHash: state.logHash,
      planDigest: viewDigest(planOfLog(state).view())
    }
    state.deadline = null
  }
}

function stateBefore({ need, form, previous }: NeedLogInit): NeedState {
  const carried = carriedBy([...previous, form])
  assert(carried.ok, 'a FORM that was checked carries one decision at most')
  return {
    need,
    form,
    carried: carried.value,
    phase: 'BIDDING',
    reason: 'the group is starting',
    at: { stamp: 0, term: 0, index: 0 },
    logHash: CHAIN_START,
    startedAt: null,
    logged: new Set(),
    said: new Set([need, ...previous, form].map(saidKey)),
    planned: [],
    plannedBy: { insiders: { facts: 0, bytes: 0 }, strangers: { facts: 0, bytes: 0 } },
    proposals: new Map(),
    decision: null,
    lease: null,
    setback: null,
    claims: 0,
    yields: 0,
    commit: null,
    verdicts: new SparseMap(),
    deadline: null,
    disputes: new SparseMap(),
    divergent: new Set(),
    challengeUntil: null,
    outcome: null
  }
}

/**
 * Whether an envelope would be void at any later place of the log too. A leader does not offer it, so that what strangers say
 * does not use up the log.
 */
export function isPointless(state: NeedState, admitted: Admitted): boolean {
  const { envelope } = admitted
  if (isOfOtherEpoch(state, admitted)) return true
  switch (envelope.verb) {
    case 'PROPOSE':
    case 'ATTEST_PLAN':
      return state.phase !== 'BIDDING'
    case 'CLAIM':
    case 'HEARTBEAT':
    case 'YIELD':
    case 'COMMIT':
      return state.decision !== null && envelope.sender !== state.decision.worker
    case 'UPDATE_PLAN':
      return !hasPlanRoom(state, admitted as Admitted<'UPDATE_PLAN'>)
    case 'RECONCILE':
      // Moves no state; it is kept for readers, where an epoch was left and by whom the plan that stands is.
      return !mayReconcile(state, envelope.sender)
    default:
      return APPLY[envelope.verb] === undefined
  }
}

/** Whether an envelope that has passed the door would change something if it came next in the log, by its verb's own rule, at the log's own time. */
export function hasEffect(state: NeedState, admitted: Admitted): boolean {
  if (state.logged.has(admitted.id) || isSaid(state, admitted)) return false
  if (isOfOtherEpoch(state, admitted)) return false
  const may = MAY[admitted.envelope.verb] as
    | ((state: NeedState, admitted: Admitted) => boolean)
    | undefined
  return may?.(state, admitted) === true
}

/**
 * The envelope that must be in the log before this one, or it would be void there: the id of an ATTEST_PLAN's proposal, of the CHALLENGE that is
 * judged, or of the UPDATE_PLAN before. A leader may hear of them in either order.
 */
export function followsOn({ envelope }: Admitted): string | null {
  switch (envelope.verb) {
    case 'ATTEST_PLAN':
      return (envelope as Envelope<'ATTEST_PLAN'>).payload.proposal.toString()
    case 'ATTEST':
    case 'REJECT':
      return (envelope as Envelope<'ATTEST' | 'REJECT'>).payload.challenge?.toString() ?? null
    case 'UPDATE_PLAN':
      return (envelope as Envelope<'UPDATE_PLAN'>).payload.previous?.toString() ?? null
    default:
      return null
  }
}

function mayReconcile({ need, form, decision }: NeedState, sender: string): boolean {
  const isFirst = form.envelope.payload.epoch === need.envelope.payload.epoch
  return !isFirst && (decision === null || decision.worker === sender)
}

/** True for what acts within another epoch than the group's. */
function isOfOtherEpoch(state: NeedState, { envelope }: Admitted): boolean {
  return envelope.epoch !== null && envelope.epoch !== state.form.envelope.payload.epoch
}

/**
 * Whether the sender has said something else with this clock value. Not asked of the proposal that the group is bound to: which of two counts was decided in an
 * earlier epoch, and a bidder that says two things must not keep the group from the one.
 */
function isSaid(state: NeedState, admitted: Admitted): boolean {
  return state.said.has(saidKey(admitted)) && state.carried?.proposal !== admitted.id
}

function saidKey({ envelope }: Admitted): string {
  return `${envelope.sender} ${envelope.lamport}`
}

function isEnd(phase: NeedState['phase']): boolean {
  return phase === 'FINAL' || phase === 'INVALID' || phase === 'EXPIRED'
}

/** Those of which somebody waits for an effect. */
const MAY: { readonly [V in Verb]?: (state: NeedState, admitted: Admitted<V>) => boolean } = {
  PROPOSE: mayPropose,
  ATTEST_PLAN: (state, admitted) => attestedBy(state, admitted) !== null,
  CLAIM: mayClaim,
  HEARTBEAT: (state, { envelope }) => holdsLease(state, envelope),
  YIELD: (state, { envelope }) => holdsLease(state, envelope),
  COMMIT: mayCommit,
  ATTEST: mayJudge,
  REJECT: mayJudge,
  CHALLENGE: mayChallenge
}

const APPLY: { readonly [V in Verb]?: (state: NeedState, admitted: Admitted<V>) => void } = {
  PROPOSE: applyPropose,
  ATTEST_PLAN: applyAttestPlan,
  CLAIM: applyClaim,
  HEARTBEAT: applyHeartbeat,
  YIELD: applyYield,
  COMMIT: applyCommit,
  ATTEST: applyVerdict,
  REJECT: applyVerdict,
  CHALLENGE: applyChallenge,
  UPDATE_PLAN: applyUpdatePlan
}
