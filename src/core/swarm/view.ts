import type { Admitted } from '../envelope/index.ts'
import { divergences, type NeedState } from '../need/index.ts'
import type { Context } from './context.ts'
import { formationReason } from './formation.ts'
import type { Thread } from './thread.ts'
import type { ThreadView } from './types.ts'
import { voidOf } from './void.ts'

/** A JSON-safe picture of a thread as this node knows it now. */
export function viewOf(context: Context, thread: Thread): ThreadView {
  const need = thread.need.envelope.payload
  const state = thread.group?.log.state ?? null
  const form = thread.group?.form.envelope.payload
  return {
    thread: thread.id,
    slot: need.slot,
    epoch: thread.epoch(),
    phase: thread.phase(),
    reason: reasonOf(context, thread),
    void: voidOf(context, thread),
    requester: thread.need.envelope.sender,
    task: need.task,
    requires: need.requires,
    inputs: need.inputs.map(String),
    refs: thread.need.envelope.refs.map(String),
    budget: String(need.budget),
    verifyBounty: String(need.verifyBounty),
    windows: need.windows,
    expiresAt: need.expiresAt,
    openedAt: thread.openedAt(),
    capsule: need.capsule.toString(),
    taskClass: need.taskClass,
    terms: need.terms,
    solo: need.solo,
    kPlan: form?.kPlan ?? need.kPlan,
    kResult: form?.kResult ?? need.kResult,
    group: groupView(context, thread),
    proposals: proposalsView(thread, state),
    decide: decideView(thread, state),
    lease:
      state?.lease == null
        ? null
        : {
            holder: state.lease.holder,
            fence: state.lease.fence,
            expiresAt: state.lease.expiresAt,
            progress: state.lease.progress
          },
    commit: commitView(state),
    verdicts: verdictsView(state),
    challenges: challengesView(state),
    finalize: finalizeView(thread),
    envelopes: [...thread.envelopes.values()].map(({ admitted, seenAt }) => ({
      id: admitted.id,
      verb: admitted.verb,
      sender: admitted.sender,
      lamport: admitted.lamport,
      seenAt
    })),
    reconciles: reconcilesView(thread),
    evidence: context.evidence
      .of(thread.id)
      .map(({ id, conviction: { offence, convicted } }) => ({ id, offence, convicted })),
    divergences: state === null ? [] : divergences(state),
    warnings: thread.warnings
  }
}

function reasonOf(context: Context, thread: Thread): string {
  if (thread.end !== null) return thread.end.outcome.reason
  if (thread.abandoned !== null) return thread.abandoned
  const isMoving = thread.sealing !== null || thread.formation !== null
  if (thread.group === null || isMoving) return formationReason(context, thread)
  return thread.group.log.state.reason
}

function groupView(context: Context, thread: Thread): ThreadView['group'] {
  const { group, member } = thread
  if (group === null) return null
  const { roster, tier } = group.form.envelope.payload
  const status = member?.raft.status()
  return {
    id: group.id,
    tier,
    roster,
    member: roster.includes(context.did),
    leader: status?.leader ?? null,
    term: status?.term ?? group.log.state.at.term,
    applied: group.log.state.at.index
  }
}

function proposalsView(thread: Thread, state: NeedState | null): ThreadView['proposals'] {
  const views: ThreadView['proposals'][number][] = []
  for (const { admitted } of thread.envelopes.values()) {
    if (admitted.verb !== 'PROPOSE') continue
    const { ballot } = (admitted as Admitted<'PROPOSE'>).envelope.payload
    const logged = state?.proposals.get(admitted.id)
    views.push({
      id: admitted.id,
      worker: admitted.sender,
      cost: String(ballot.cost),
      etaMs: ballot.etaMs,
      attestations: [...(logged?.attestations.keys() ?? [])],
      logged: logged !== undefined
    })
  }
  return views
}

function decideView(thread: Thread, state: NeedState | null): ThreadView['decide'] {
  const { decide, held } = thread
  const certified = thread.certifiedDecision()
  const decision = certified ?? state?.decision ?? null
  if (decision === null) return null
  return {
    proposal: decision.proposal.toString(),
    worker: decision.worker,
    epoch: decision.epoch,
    term: decision.term,
    index: decision.index,
    signers: decide?.signers ?? held?.certificate.votes.map(({ member }) => member) ?? [],
    certified: certified !== null
  }
}

function commitView(state: NeedState | null): ThreadView['commit'] {
  if (state?.commit == null) return null
  const { admitted } = state.commit
  const { telemetry, outputs } = admitted.envelope.payload
  return {
    id: admitted.id,
    worker: admitted.envelope.sender,
    outputs: outputs.map(String),
    telemetry: { ...telemetry, cost: String(telemetry.cost) }
  }
}

function verdictsView(state: NeedState | null): ThreadView['verdicts'] {
  if (state === null) return []
  const verdicts = [...state.verdicts.values()].map(verdict => ({
    verifier: verdict.verifier,
    sealed: true,
    pass: verdict.reveal?.pass ?? null,
    reasons: verdict.reveal?.reasons ?? [],
    dispute: false
  }))
  const findings = [...state.disputes.values()].flatMap(dispute =>
    [...dispute.findings].map(([verifier, { pass, reasons }]) => ({
      verifier,
      sealed: false,
      pass,
      reasons,
      dispute: true
    }))
  )
  return [...verdicts, ...findings]
}

function challengesView(state: NeedState | null): ThreadView['challenges'] {
  return [...(state?.disputes.values() ?? [])].map(({ admitted, status }) => ({
    id: admitted.id,
    challenger: admitted.envelope.sender,
    type: admitted.envelope.payload.proof.type,
    note: admitted.envelope.payload.proof.note,
    status
  }))
}

function reconcilesView(thread: Thread): ThreadView['reconciles'] {
  return [...thread.envelopes.values()].flatMap(({ admitted }) => {
    if (admitted.verb !== 'RECONCILE') return []
    const { id, sender } = admitted
    const { merged, orphaned, salvaged } = (admitted as Admitted<'RECONCILE'>).envelope.payload
    return {
      id,
      sender,
      merged: merged.map(String),
      orphaned: orphaned.map(String),
      salvaged: salvaged.map(String)
    }
  })
}

function finalizeView(thread: Thread): ThreadView['finalize'] {
  if (thread.end === null) return null
  const { admitted, outcome, signers } = thread.end
  return {
    id: admitted.id,
    result: outcome.result,
    signers,
    payouts: outcome.payouts.map(payout => ({
      to: payout.to,
      amount: String(payout.amount),
      why: payout.why
    }))
  }
}
