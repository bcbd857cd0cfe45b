import { ok, type Result, refuse } from '../base/index.ts'
import { CID, hash, taggedBytes } from '../codec/index.ts'
import { type Payload, TAGS } from '../envelope/index.ts'
import { type NeedState, verdictSeal } from '../need/index.ts'
import type { Context } from './context.ts'
import { threadDraft } from './drafts.ts'
import { standingOf } from './standing.ts'
import type { OwnVerdict, Thread } from './thread.ts'
import type { Command } from './types.ts'

type Dispute = NeedState['disputes'] extends ReadonlyMap<string, infer D> ? D : never

/** Takes a verifier's finding: on disk first, then sealed, later revealed; the group's log says when. */
export function takeVerdict(
  context: Context,
  thread: Thread,
  command: Extract<Command, { type: 'verdict' }>
): Result<{ sealed: true }> {
  const commit = thread.group?.log.state.commit ?? null
  if (commit === null || commit.admitted.id !== command.commit)
    return refuse('NO_SUCH_COMMIT', 'the thread has no such COMMIT to judge')
  const known = thread.ownVerdicts.get(command.commit)
  if (known !== undefined && known.pass !== command.pass)
    return refuse('VERDICT_GIVEN', 'this node has judged the COMMIT already, otherwise')
  if (known === undefined) {
    const { pass, evaluation, reasons } = command
    thread.ownVerdicts.set(command.commit, { pass, evaluation, reasons, triedAt: 0, triedIn: null })
    context.persist(
      { type: 'verdict', thread: thread.id, commit: command.commit, pass, evaluation, reasons },
      { sync: true }
    )
  }
  driveVerdicts(context, thread)
  return ok({ sealed: true })
}

/** Publishes whatever the thread's phase asks of this node's verdict; again after a while when it did not reach the log. */
export function driveVerdicts(context: Context, thread: Thread): void {
  const state = thread.group?.log.state
  const commit = state?.commit?.admitted
  if (state === undefined || commit === undefined || thread.isEnded()) return
  const own = thread.ownVerdicts.get(commit.id)
  if (own === undefined) return
  const tried =
    own.triedIn === state.phase && context.nowMs - own.triedAt < context.settings.retryMs * 2
  if (tried) return
  own.triedIn = state.phase
  const sealed = state.verdicts.get(context.did)
  if (state.phase === 'COMMITTED' && sealed === undefined)
    return publishSeal(context, thread, commit.id, own)
  if (state.phase === 'REVEALING' && sealed !== undefined && sealed.reveal === null)
    return publishFinding(context, thread, commit.id, own, null)
  if (state.phase !== 'VERIFIED' || sealed !== undefined) return
  for (const dispute of state.disputes.values()) {
    if (!isToJudge(context, dispute)) continue
    publishFinding(context, thread, commit.id, own, dispute.admitted.cid)
  }
}

/** When `driveVerdicts` has something to do. */
export function verdictsDueAt(context: Context, thread: Thread): number {
  const state = thread.group?.log.state
  const commit = state?.commit?.admitted
  const own = commit === undefined ? undefined : thread.ownVerdicts.get(commit.id)
  if (state === undefined || own === undefined) return Number.POSITIVE_INFINITY
  if (own.triedIn !== state.phase) return 0
  const sealed = state.verdicts.get(context.did)
  const waits =
    (state.phase === 'COMMITTED' && sealed === undefined) ||
    (state.phase === 'REVEALING' && sealed?.reveal === null) ||
    (state.phase === 'VERIFIED' &&
      sealed === undefined &&
      [...state.disputes.values()].some(dispute => isToJudge(context, dispute)))
  return waits ? own.triedAt + context.settings.retryMs * 2 : Number.POSITIVE_INFINITY
}

function isToJudge({ did }: Context, dispute: Dispute): boolean {
  return (
    dispute.status === 'open' &&
    !dispute.findings.has(did) &&
    dispute.admitted.envelope.sender !== did
  )
}

function publishSeal(context: Context, thread: Thread, commit: string, own: OwnVerdict): void {
  own.triedAt = context.nowMs
  const seal = verdictSeal({
    commit,
    verifier: context.did,
    pass: own.pass,
    evaluation: own.evaluation,
    salt: saltOf(context, thread, commit)
  })
  const task = taskOf(thread)
  if (task === null) return
  const payload: Payload<'ATTEST'> = {
    task,
    commit: CID.parse(commit),
    seal,
    salt: null,
    evaluation: null,
    challenge: null,
    reasons: [],
    standing: standingOf(context)
  }
  context.publish(
    threadDraft(context, thread, 'ATTEST', payload, {
      epoch: thread.epoch(),
      refs: [CID.parse(commit)]
    })
  )
}

function publishFinding(
  context: Context,
  thread: Thread,
  commit: string,
  own: OwnVerdict,
  challenge: CID | null
): void {
  own.triedAt = context.nowMs
  const task = taskOf(thread)
  if (task === null) return
  const finding = {
    task,
    commit: CID.parse(commit),
    salt: challenge === null ? saltOf(context, thread, commit) : null,
    evaluation: own.evaluation,
    challenge,
    reasons: own.reasons.slice(0, 8),
    // A reveal adds nothing to its seal.
    standing: challenge === null ? null : standingOf(context)
  }
  const act = { epoch: thread.epoch(), refs: [finding.commit] }
  if (own.pass)
    context.publish(threadDraft(context, thread, 'ATTEST', { ...finding, seal: null }, act))
  else context.publish(threadDraft(context, thread, 'REJECT', finding, act))
}

function taskOf(thread: Thread): CID | null {
  return thread.group?.log.state.decision?.proposal ?? null
}

/** Secret until revealed, and the same after a restart: derived from a signature that only this node can make. */
function saltOf(context: Context, thread: Thread, commit: string): Uint8Array {
  return hash(context.sign(taggedBytes(TAGS.salt, { thread: thread.id, commit })))
}
