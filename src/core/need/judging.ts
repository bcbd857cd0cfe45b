import { equals } from '../base/index.ts'
import { taggedHash } from '../codec/index.ts'
import { type Admitted, TAGS } from '../envelope/index.ts'
import { compareVerdict } from './divergence.ts'
import { FINDINGS_MAX } from './limits.ts'
import { isSolo, type NeedState, quote, type Verdict } from './state.ts'
import { hasRoom, workerStanding } from './terms.ts'

/** What a seal hides until it is revealed. Bound to the verifier, so that copying another's seal does not pay (R18). */
export function verdictSeal(verdict: {
  readonly commit: string
  readonly verifier: string
  readonly pass: boolean
  readonly evaluation: Uint8Array
  readonly salt: Uint8Array
}): Uint8Array {
  return taggedHash(TAGS.seal, verdict)
}

/** Files a seal, a reveal or a finding in a dispute, whichever the envelope is. */
export function applyVerdict(state: NeedState, admitted: Admitted<'ATTEST' | 'REJECT'>): void {
  const { payload, sender, verb } = admitted.envelope
  if (state.commit === null || payload.commit.toString() !== state.commit.admitted.id) return
  if (isRelated(state, sender)) return
  if (payload.challenge !== null) return applyFinding(state, admitted)
  if (verb === 'ATTEST' && 'seal' in payload && payload.seal !== null)
    return applySeal(state, sender, { seal: payload.seal, standing: payload.standing })
  applyReveal(state, admitted)
}

function isRelated(state: NeedState, sender: string): boolean {
  const related = sender === state.decision?.worker || sender === state.need.envelope.sender
  return related && !isSolo(state)
}

function applySeal(
  state: NeedState,
  verifier: string,
  { seal, standing }: Pick<Verdict, 'seal' | 'standing'>
): void {
  if (state.phase !== 'COMMITTED' || state.verdicts.has(verifier)) return
  if (state.verdicts.size >= FINDINGS_MAX) return
  const kept = [...state.verdicts.values()].map(verdict => verdict.standing)
  // What does not count is not judged by, and not paid.
  if (!hasRoom(state, { worker: workerStanding(state), kept, one: standing })) return
  state.verdicts.set(verifier, { verifier, seal, standing, reveal: null })
  if (state.verdicts.size !== state.form.envelope.payload.kResult) return
  const { sealMs } = state.need.envelope.payload.windows
  state.deadline = Math.min(state.deadline ?? state.at.stamp, state.at.stamp + sealMs)
  state.reason = 'enough verdicts are sealed; a moment more for others'
}

function applyReveal(state: NeedState, admitted: Admitted<'ATTEST' | 'REJECT'>): void {
  const { payload, sender, verb } = admitted.envelope
  const verdict = state.verdicts.get(sender)
  if (state.phase !== 'REVEALING' || verdict === undefined || verdict.reveal !== null) return
  if (payload.salt === null || payload.evaluation === null) return
  const pass = verb === 'ATTEST'
  const seal = verdictSeal({
    commit: payload.commit.toString(),
    verifier: sender,
    pass,
    evaluation: payload.evaluation,
    salt: payload.salt
  })
  if (!equals(seal, verdict.seal)) return
  verdict.reveal = { pass, admitted, reasons: payload.reasons }
  compareVerdict(state, payload.evaluation)
}

/** Ends sealing when its window has passed. True when the phase changed. */
export function closeSealingIfDue(state: NeedState): boolean {
  if (state.phase !== 'COMMITTED' || state.deadline === null || state.at.stamp < state.deadline)
    return false
  const { kResult } = state.form.envelope.payload
  if (state.verdicts.size < kResult) {
    state.phase = 'EXPIRED'
    state.reason = `${state.verdicts.size} verifier(s) sealed a verdict in time; ${kResult} are needed`
    return true
  }
  state.phase = 'REVEALING'
  state.deadline = state.at.stamp + state.need.envelope.payload.windows.revealMs
  state.reason = 'waiting for verifiers to reveal their verdicts'
  return true
}

/** Judges when all sealed verdicts are revealed or the window has passed. True when the phase changed. */
export function judgeIfDue(state: NeedState): boolean {
  if (state.phase !== 'REVEALING' || state.deadline === null) return false
  const revealed = [...state.verdicts.values()].flatMap(verdict => verdict.reveal ?? [])
  if (revealed.length < state.verdicts.size && state.at.stamp < state.deadline) return false
  const passes = revealed.filter(reveal => reveal.pass).length
  const rejects = revealed.length - passes
  const { kResult } = state.form.envelope.payload
  if (passes >= kResult && passes > rejects) {
    state.phase = 'VERIFIED'
    state.deadline = state.at.stamp + state.need.envelope.payload.windows.challengeMs
    state.challengeUntil = state.deadline
    state.reason = 'the challenge window is open'
  } else if (rejects >= kResult && rejects >= passes) {
    const why = revealed.find(reveal => !reveal.pass)?.reasons[0] ?? 'no reason given'
    state.phase = 'INVALID'
    state.reason = `verifiers rejected the result: ${quote(why)}`
  } else {
    state.phase = 'EXPIRED'
    state.reason = `verifiers did not agree: ${passes} passed, ${rejects} rejected, ${kResult} are needed`
  }
  return true
}

/**
 * A challenge in the window opens a dispute; one for each challenger. Disputes outlive the window but do not lengthen it:
 * otherwise a row of challengers could keep the thread from ever ending (P6).
 */
export function applyChallenge(state: NeedState, admitted: Admitted<'CHALLENGE'>): void {
  const { payload, sender } = admitted.envelope
  if (
    state.phase !== 'VERIFIED' ||
    state.commit === null ||
    payload.commit.toString() !== state.commit.admitted.id
  )
    return
  if (state.challengeUntil === null || state.at.stamp >= state.challengeUntil) return
  if (sender === state.decision?.worker || state.disputes.size >= FINDINGS_MAX) return
  for (const dispute of state.disputes.values()) {
    if (dispute.admitted.envelope.sender === sender) return
  }
  const endsAt = state.at.stamp + state.need.envelope.payload.windows.verifyMs
  state.disputes.set(admitted.id, { admitted, endsAt, findings: new Map(), status: 'open' })
  state.deadline = Math.max(state.deadline ?? 0, endsAt)
  state.reason = `challenged: ${payload.proof.type}`
}

function applyFinding(state: NeedState, admitted: Admitted<'ATTEST' | 'REJECT'>): void {
  const { payload, sender, verb } = admitted.envelope
  const dispute = state.disputes.get(String(payload.challenge))
  if (state.phase !== 'VERIFIED' || dispute === undefined || dispute.status !== 'open') return
  if (sender === dispute.admitted.envelope.sender || dispute.findings.has(sender)) return
  if (state.verdicts.has(sender) && !isSolo(state)) return
  if (payload.evaluation === null || dispute.findings.size >= FINDINGS_MAX) return
  const kept = [...dispute.findings.values()].map(
    finding => finding.admitted.envelope.payload.standing
  )
  if (!hasRoom(state, { worker: workerStanding(state), kept, one: payload.standing })) return
  dispute.findings.set(sender, { pass: verb === 'ATTEST', admitted, reasons: payload.reasons })
  compareVerdict(state, payload.evaluation)
}

/** Settles disputes whose time is up, and closes the challenge window. True when the phase changed. */
export function closeChallengesIfDue(state: NeedState): boolean {
  if (state.phase !== 'VERIFIED' || state.deadline === null || state.at.stamp < state.deadline)
    return false
  for (const dispute of state.disputes.values()) {
    const findings = [...dispute.findings.values()]
    const passes = findings.filter(finding => finding.pass).length
    dispute.status = findings.length - passes > passes ? 'upheld' : 'dismissed'
  }
  const upheld = [...state.disputes.values()].find(dispute => dispute.status === 'upheld')
  state.phase = upheld === undefined ? 'FINAL' : 'INVALID'
  state.reason =
    upheld === undefined
      ? 'verified, and the challenge window has passed'
      : `an upheld challenge: ${upheld.admitted.envelope.payload.proof.type}`
  return true
}
