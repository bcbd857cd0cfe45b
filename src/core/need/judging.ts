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

type Judged = Admitted<'ATTEST' | 'REJECT'>

/** Whether a seal, a reveal or a finding in a dispute would be filed now. */
export function mayJudge(state: NeedState, admitted: Judged): boolean {
  const { payload, sender } = admitted.envelope
  if (state.commit === null || payload.commit.toString() !== state.commit.admitted.id) return false
  if (isRelated(state, sender)) return false
  if (payload.challenge !== null) return mayFind(state, admitted)
  const seal = sealIn(admitted)
  return seal === null ? mayReveal(state, admitted) : maySeal(state, sender, payload.standing)
}

/** Files a seal, a reveal or a finding in a dispute, whichever the envelope is. */
export function applyVerdict(state: NeedState, admitted: Judged): void {
  if (!mayJudge(state, admitted)) return
  const { payload, sender } = admitted.envelope
  if (payload.challenge !== null) return applyFinding(state, admitted)
  const seal = sealIn(admitted)
  if (seal !== null) return applySeal(state, sender, { seal, standing: payload.standing })
  applyReveal(state, admitted)
}

function sealIn({ envelope }: Judged): Uint8Array | null {
  const { payload, verb } = envelope
  return verb === 'ATTEST' && 'seal' in payload ? (payload.seal ?? null) : null
}

function isRelated(state: NeedState, sender: string): boolean {
  const related = sender === state.decision?.worker || sender === state.need.envelope.sender
  return related && !isSolo(state)
}

function maySeal(state: NeedState, verifier: string, standing: Verdict['standing']): boolean {
  if (state.phase !== 'COMMITTED' || state.verdicts.has(verifier)) return false
  if (state.verdicts.size >= FINDINGS_MAX) return false
  const kept = [...state.verdicts.values()].map(verdict => verdict.standing)
  // What does not count is not judged by, and not paid.
  return hasRoom(state, { worker: workerStanding(state), kept, one: standing })
}

function applySeal(
  state: NeedState,
  verifier: string,
  { seal, standing }: Pick<Verdict, 'seal' | 'standing'>
): void {
  state.verdicts.set(verifier, { verifier, seal, standing, reveal: null })
  if (state.verdicts.size !== state.form.envelope.payload.kResult) return
  const { sealMs } = state.need.envelope.payload.windows
  state.deadline = Math.min(state.deadline ?? state.at.stamp, state.at.stamp + sealMs)
  state.reason = 'enough verdicts are sealed; a moment more for others'
}

function mayReveal({ phase, verdicts }: NeedState, { envelope }: Judged): boolean {
  const { payload, sender, verb } = envelope
  const verdict = verdicts.get(sender)
  if (phase !== 'REVEALING' || verdict === undefined || verdict.reveal !== null) return false
  if (payload.salt === null || payload.evaluation === null) return false
  const seal = verdictSeal({
    commit: payload.commit.toString(),
    verifier: sender,
    pass: verb === 'ATTEST',
    evaluation: payload.evaluation,
    salt: payload.salt
  })
  return equals(seal, verdict.seal)
}

function applyReveal(state: NeedState, admitted: Judged): void {
  const { payload, sender, verb } = admitted.envelope
  const verdict = state.verdicts.get(sender)
  if (verdict === undefined || payload.evaluation === null) return
  verdict.reveal = { pass: verb === 'ATTEST', admitted, reasons: payload.reasons }
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

/** Whether the CHALLENGE would open a dispute now. */
export function mayChallenge(state: NeedState, { envelope }: Admitted<'CHALLENGE'>): boolean {
  const { payload, sender } = envelope
  if (state.phase !== 'VERIFIED' || payload.commit.toString() !== state.commit?.admitted.id)
    return false
  if (state.challengeUntil === null || state.at.stamp >= state.challengeUntil) return false
  if (sender === state.decision?.worker || state.disputes.size >= FINDINGS_MAX) return false
  for (const dispute of state.disputes.values()) {
    if (dispute.admitted.envelope.sender === sender) return false
  }
  return true
}

/**
 * A challenge in the window opens a dispute; one for each challenger. Disputes outlive the window but do not lengthen it:
 * otherwise a row of challengers could keep the thread from ever ending (P6).
 */
export function applyChallenge(state: NeedState, admitted: Admitted<'CHALLENGE'>): void {
  if (!mayChallenge(state, admitted)) return
  const { payload } = admitted.envelope
  const endsAt = state.at.stamp + state.need.envelope.payload.windows.verifyMs
  state.disputes.set(admitted.id, { admitted, endsAt, findings: new Map(), status: 'open' })
  state.deadline = Math.max(state.deadline ?? 0, endsAt)
  state.reason = `challenged: ${payload.proof.type}`
}

function mayFind(state: NeedState, { envelope }: Judged): boolean {
  const { payload, sender } = envelope
  const dispute = state.disputes.get(String(payload.challenge))
  if (state.phase !== 'VERIFIED' || dispute?.status !== 'open') return false
  if (sender === dispute.admitted.envelope.sender || dispute.findings.has(sender)) return false
  if (state.verdicts.has(sender) && !isSolo(state)) return false
  if (payload.evaluation === null || dispute.findings.size >= FINDINGS_MAX) return false
  const kept = [...dispute.findings.values()].map(
    finding => finding.admitted.envelope.payload.standing
  )
  return hasRoom(state, { worker: workerStanding(state), kept, one: payload.standing })
}

function applyFinding(state: NeedState, admitted: Judged): void {
  const { payload, sender, verb } = admitted.envelope
  const dispute = state.disputes.get(String(payload.challenge))
  if (dispute === undefined || payload.evaluation === null) return
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
