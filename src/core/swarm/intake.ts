import { ok, type Result, toHex } from '../base/index.ts'
import type { Admitted } from '../envelope/index.ts'
import { checkNeed, isPointless, LOGGED_VERBS, type NeedState } from '../need/index.ts'
import {
  type CheckedCertificate,
  checkDecision,
  checkForm,
  checkOutcome,
  groupIdOf,
  sealsOf
} from '../roster/index.ts'
import { hasCertifiedRoom, isAwaited } from './certified-room.ts'
import { threadEnded, tooManyThreads } from './commands.ts'
import type { Context } from './context.ts'
import { watchEnvelope } from './evidence.ts'
import { contradicted } from './finality.ts'
import { disagree, pullNow, startMember } from './following.ts'
import { driveFormation } from './formation.ts'
import { hasLateRoom, isLateResult } from './late-results.ts'
import { isUpdateWanted, planFiled } from './plan-intake.ts'
import { onPlanSaid } from './planning.ts'
import { noteOwn } from './refusals.ts'
import { LOG_BYTES_MAX, THREAD_BYTES_MAX } from './room.ts'
import { pickPeer, pull } from './sync.ts'
import { Thread } from './thread.ts'
import type { JournalRecord } from './types.ts'
import { isWelcome } from './welcome.ts'
import type { World } from './world.ts'

type EnvelopeRecord = Extract<JournalRecord, { type: 'envelope' }>

/** Agents whose manifest is kept; a flood of identities must not fill memory. */
const MANIFESTS_MAX = 10_000
/** Envelopes of one thread that wait for the log, and how many of them may be of one sender. The log itself is bounded. */
const UNLOGGED_MAX = 1_024
const UNLOGGED_PER_SENDER_MAX = 64

/** Takes an admitted envelope: files it, and answers the command that it came from. */
export function onEnvelope(world: World, admitted: Admitted, local: boolean): void {
  const { context } = world
  file(world, admitted, context.nowMs, local)
  if (!local) return
  answer(context, world, admitted)
  if (admitted.envelope.verb === 'UPDATE_PLAN')
    world.withThread(String(admitted.envelope.thread), thread =>
      onPlanSaid(context, thread, admitted.envelope.lamport)
    )
}

function answer(context: Context, world: World, admitted: Admitted): void {
  const waiting = context.waiting.get(admitted.envelope.lamport)
  if (waiting === undefined) return
  context.waiting.delete(admitted.envelope.lamport)
  const { thread, verb } = admitted.envelope
  if (verb === 'NEED' && !world.threads.has(admitted.id))
    context.refuseCommand(waiting, tooManyThreads().refusal)
  else if (thread !== null && context.tombstones.has(String(thread)))
    context.refuseCommand(waiting, threadEnded(context, String(thread)).refusal)
  else context.reply(waiting, ok({ envelope: admitted.id }))
}

/** Files an envelope where it belongs: on disk first, then out, then its consequences. Known ones change nothing. */
export function file(world: World, admitted: Admitted, atMs: number, local: boolean): void {
  const { context } = world
  const { verb, thread: threadCid, sender, lamport } = admitted.envelope
  context.witness(lamport, sender)
  noteOwn(context, admitted)
  if (verb === 'MANIFEST') return fileManifest(world, admitted as Admitted<'MANIFEST'>, atMs, local)
  if (verb === 'CHECKPOINT')
    return fileCheckpoint(world, admitted as Admitted<'CHECKPOINT'>, atMs, local)
  const id = verb === 'NEED' ? admitted.id : String(threadCid)
  if (context.tombstones.has(id)) return
  const thread =
    verb === 'NEED' ? openThread(world, admitted as Admitted<'NEED'>) : world.thread(id)
  if (thread === undefined) return verb === 'NEED' ? undefined : waitForNeed(world, id, admitted)
  if (thread.envelopes.has(admitted.id)) return
  watchEnvelope(context, thread, admitted)
  if (!local && world.started && !isWanted(world, thread, admitted)) return
  const sighting = thread.file(admitted, atMs)
  world.count(thread, admitted)
  keep(world, admitted, atMs, local)
  context.image.noteEnvelope(id, sighting)
  context.observe({ type: 'envelope', thread: id, id: admitted.id, verb, sender, atMs })
  react(world, thread, admitted)
  planFiled(context, thread, admitted)
  if (verb === 'NEED')
    for (const early of world.early.envelopes(id)) file(world, early, atMs, false)
}

/**
 * Whether a stranger's envelope is worth keeping: nothing for a thread that is over, nothing beyond what may wait, and no
 * certificate that does not hold. What the log has is wanted as long as there is room.
 */
function isWanted(world: World, thread: Thread, admitted: Admitted): boolean {
  const { verb, sender } = admitted.envelope
  if (verb === 'UPDATE_PLAN') return isUpdateWanted(world, thread, admitted)
  const isAsked = thread.isAsked(admitted.id)
  const isNeeded =
    isAsked || thread.member !== null || verb === 'NEED' || isAwaited(thread, admitted)
  const requester = thread.need.envelope.sender
  if (!world.bytes.hasRoomFor(requester, admitted.bytes.length, isNeeded)) return false
  const bytes = thread.bytes - thread.plan.bytes + admitted.bytes.length
  if (isAsked) return bytes <= THREAD_BYTES_MAX
  if (isLateResult(thread, admitted)) return !thread.isEnded() && hasLateRoom(thread, admitted)
  if (LOGGED_VERBS.has(verb)) {
    const state = thread.group?.log.state
    if (thread.isEnded() || (state !== undefined && isVoid(state, admitted))) return false
    const isInsider = sender === state?.decision?.worker || sender === thread.need.envelope.sender
    if (!isInsider && (thread.unlogged.size >= UNLOGGED_MAX || bytes > LOG_BYTES_MAX)) return false
    if (bytes > 2 * LOG_BYTES_MAX) return false
    let own = 0
    for (const held of thread.unlogged.values()) if (held.sender === sender) own += 1
    return own < UNLOGGED_PER_SENDER_MAX
  }
  if (verb === 'NEED') return true
  if (thread.isComplete() || !hasCertifiedRoom(thread, admitted)) return false
  const refusal = flawOf(world, thread, admitted)
  if (refusal === null) return true
  if (verb === 'FORM' && isAhead(thread, admitted as Admitted<'FORM'>)) {
    // Not wrong: this node missed the FORM of an epoch before.
    pullIfUnasked(world, thread, sender)
    return false
  }
  thread.warn(world.context, `a ${verb} was refused: ${refusal}`)
  return false
}

/** Void here and later. What is said in a later epoch may be ahead of its FORM. */
function isVoid(state: NeedState, admitted: Admitted): boolean {
  const { epoch } = admitted.envelope
  if (epoch !== null && epoch > state.form.envelope.payload.epoch) return false
  return isPointless(state, admitted)
}

/** What is wrong with a FORM or a certificate, or null. */
function flawOf(world: World, thread: Thread, admitted: Admitted): string | null {
  const { verb } = admitted.envelope
  const check =
    verb === 'FORM'
      ? formCheck(world, thread, admitted as Admitted<'FORM'>)
      : verb === 'DECIDE'
        ? decisionCheck(world, thread, admitted as Admitted<'DECIDE'>)
        : verb === 'FINALIZE' || verb === 'INVALIDATE'
          ? outcomeCheck(world, thread, admitted as Admitted<'FINALIZE' | 'INVALIDATE'>)
          : null
  return check === null || check.ok ? null : check.refusal.message
}

/** Against the FORMs that are known of the epochs before. Without them the answer would not last, so it is not kept. */
function formCheck({ context }: World, thread: Thread, form: Admitted<'FORM'>): Result<null> {
  const { epoch } = form.envelope.payload
  const previous = thread.forms().filter(known => known.envelope.payload.epoch < epoch)
  const check = (): Result<null> => checkForm(form, { need: thread.need, previous }, context.verify)
  return isNext(previous, form) ? thread.checkOnce(form, check) : check()
}

/** True when the seals of a FORM begin with the last of these FORMs. */
function isNext(previous: readonly Admitted<'FORM'>[], form: Admitted<'FORM'>): boolean {
  return (sealsOf(form)[0]?.form?.toString() ?? null) === (previous.at(-1)?.id ?? null)
}

function decisionCheck(
  { context }: World,
  thread: Thread,
  admitted: Admitted<'DECIDE'>
): Result<CheckedCertificate> {
  const { decision, certificate } = admitted.envelope.payload
  return thread.checkOnce(admitted, () =>
    withOwnForms(
      thread,
      checkDecision(decision, certificate, thread.need, context.verify, thread.forms())
    )
  )
}

function outcomeCheck(
  { context }: World,
  thread: Thread,
  admitted: Admitted<'FINALIZE' | 'INVALIDATE'>
): Result<CheckedCertificate> {
  const { outcome, certificate } = admitted.envelope.payload
  return thread.checkOnce(admitted, () =>
    withOwnForms(
      thread,
      checkOutcome(outcome, certificate, thread.need, context.verify, thread.forms())
    )
  )
}

/** The certificate's FORMs are mostly known here: then they are not held a second time. */
function withOwnForms(
  thread: Thread,
  checked: Result<CheckedCertificate>
): Result<CheckedCertificate> {
  if (!checked.ok) return checked
  const own = (form: Admitted<'FORM'>): Admitted<'FORM'> =>
    (thread.envelopes.get(form.id)?.admitted as Admitted<'FORM'> | undefined) ?? form
  const { form, previous } = checked.value
  return ok({ ...checked.value, form: own(form), previous: previous.map(own) })
}

function keep(world: World, admitted: Admitted, atMs: number, local: boolean): EnvelopeRecord {
  const record: EnvelopeRecord = { type: 'envelope', bytes: admitted.bytes, atMs }
  world.context.persist(record, { sync: local })
  if (local) world.context.gossip(admitted.bytes)
  return record
}

function fileManifest(
  world: World,
  admitted: Admitted<'MANIFEST'>,
  atMs: number,
  local: boolean
): void {
  const { manifests } = world.context
  const known = manifests.get(admitted.envelope.sender)
  if (known !== undefined && known.envelope.lamport >= admitted.envelope.lamport) return
  if (known === undefined && manifests.size >= MANIFESTS_MAX && !forgetAbsent(world.context)) return
  manifests.set(admitted.envelope.sender, admitted)
  const record = keep(world, admitted, atMs, local)
  world.context.image.noteManifest(admitted.envelope.sender, record)
  if (!local) return
  // A node that starts has peers before it has a gossip mesh: they hear of it directly (R6).
  const { connected } = world.context
  for (const did of connected)
    world.context.send(did, { type: 'envelopes', items: [admitted.bytes] })
}

/** Passed on to whoever keeps checkpoints. Own ones are on disk first, for their clock value; the journal drops them when it is compacted. */
function fileCheckpoint(
  world: World,
  admitted: Admitted<'CHECKPOINT'>,
  atMs: number,
  local: boolean
): void {
  if (!world.started) return
  if (local) keep(world, admitted, atMs, local)
  const { sender, payload } = admitted.envelope
  const { treeSize } = payload
  const root = toHex(payload.root)
  const { id } = admitted
  world.context.observe({ type: 'checkpoint', thread: null, id, sender, treeSize, root, atMs })
}

/** Makes room by the oldest manifest of somebody who is not here. False when everybody is. */
function forgetAbsent(context: Context): boolean {
  for (const did of context.manifests.keys()) {
    if (did === context.did || context.connected.has(did)) continue
    context.image.forgetManifest(did)
    return context.manifests.delete(did)
  }
  return false
}

function openThread(world: World, need: Admitted<'NEED'>): Thread | undefined {
  const { context } = world
  const known = world.thread(need.id)
  if (known !== undefined) return known
  const checked = checkNeed(need.envelope)
  if (!checked.ok) {
    context.warn(
      null,
      `a NEED of ${need.envelope.sender} is not followed: ${checked.refusal.message}`
    )
    return undefined
  }
  // What the journal has was taken once: there was room, and what had its slot may have been forgotten since.
  if (world.started && !isWelcome(world, need)) return undefined
  const thread = new Thread(need)
  // A NEED that is new here is mostly new everywhere: what has been said about it comes by itself, or is asked for a moment later.
  if (world.started)
    thread.pulledAt = context.nowMs - context.settings.pullMs + context.settings.retryMs
  world.open(thread)
  return thread
}

/** Too early is not wrong (R5): the envelope waits, bounded, while its NEED is asked for. */
function waitForNeed(world: World, id: string, admitted: Admitted): void {
  if (!world.early.holdEnvelope(id, admitted) || !world.started) return
  const peer = pickPeer(world.context, null)
  if (peer !== null) pull(world.context, id, undefined, peer)
}

/** What a verb brings about beyond being filed. */
function react(world: World, thread: Thread, admitted: Admitted): void {
  const { verb } = admitted.envelope
  if (verb === 'FORM') onForm(world, thread, admitted as Admitted<'FORM'>)
  else if (verb === 'DECIDE') onDecide(world, thread, admitted as Admitted<'DECIDE'>)
  else if (verb === 'FINALIZE' || verb === 'INVALIDATE')
    onEnd(world, thread, admitted as Admitted<'FINALIZE' | 'INVALIDATE'>)
  if (!world.started) return
  if (verb === 'NEED') driveFormation(world.context, thread)
  thread.member?.onAdmitted()
  world.release(thread.id)
  world.observeThread(thread)
}

/** True for a FORM that rests on one that is not known here. */
function isAhead(thread: Thread, form: Admitted<'FORM'>): boolean {
  const { epoch } = form.envelope.payload
  return (thread.group === null || epoch > thread.epoch()) && !isNext(thread.forms(), form)
}

function onForm(world: World, thread: Thread, form: Admitted<'FORM'>): void {
  const { context } = world
  const { epoch } = form.envelope.payload
  const checked = formCheck(world, thread, form)
  if (!checked.ok) return thread.warn(context, `a FORM was refused: ${checked.refusal.message}`)
  if (thread.group !== null && epoch <= thread.epoch())
    return thread.warn(
      context,
      `the requester signed a second FORM for epoch ${epoch}: equivocation`
    )
  if (thread.end !== null)
    return thread.warn(context, `a FORM for epoch ${epoch} comes after the certified end`)
  const group = thread.adopt(form, context)
  world.groups.set(group.id, thread)
  onCertified(world, thread)
  if (!world.started) return
  startMember(world, thread)
  world.release(group.id)
}

/** Certificates that came before their FORM. */
function onCertified(world: World, thread: Thread): void {
  for (const { admitted } of [...thread.envelopes.values()]) {
    const { verb } = admitted
    if (verb === 'DECIDE') onDecide(world, thread, admitted as Admitted<'DECIDE'>)
    else if (verb === 'FINALIZE' || verb === 'INVALIDATE')
      onEnd(world, thread, admitted as Admitted<'FINALIZE' | 'INVALIDATE'>)
  }
}

/**
 * Whether a certificate is of the group that this node follows. The first FORM of an epoch counts here; a certificate under another
 * one convicts the requester and leaves this group as it is (R8). FORMs that the certificate has and this node not yet are sent through the
 * door. One of an earlier epoch is over: its decision is carried, if it was one.
 */
function isOfGroup(
  world: World,
  thread: Thread,
  checked: CheckedCertificate,
  from: string
): boolean {
  const { epoch } = checked.form.envelope.payload
  if (thread.group === null || epoch > thread.epoch()) {
    for (const form of [...checked.previous, checked.form])
      if (!thread.envelopes.has(form.id)) world.context.admit(form.bytes, from, 'log')
    return false
  }
  if (thread.group.id === checked.group) return true
  if (thread.previousForms().some(form => groupIdOf(form.bytes) === checked.group)) return false
  thread.warn(
    world.context,
    `there is a certificate under a second FORM for epoch ${epoch}: the requester equivocates`
  )
  return false
}

function onDecide(world: World, thread: Thread, admitted: Admitted<'DECIDE'>): void {
  const { context } = world
  if (thread.decide !== null) {
    // One that says something else is of another branch of the plan, when it holds.
    if (!thread.isProven(admitted)) decisionCheck(world, thread, admitted)
    return
  }
  const checked = decisionCheck(world, thread, admitted)
  if (!checked.ok) return thread.warn(context, `a DECIDE was refused: ${checked.refusal.message}`)
  if (!isOfGroup(world, thread, checked.value, admitted.envelope.sender)) return
  thread.decide = { admitted, signers: checked.value.signers }
  if (thread.held === null)
    context.observe({ type: 'certified', thread: thread.id, atMs: context.nowMs })
  thread.held = null
  thread.plan.addCertified(admitted)
  if (contradicted(thread) !== null) disagree(world, thread, 'DECIDE')
  if (world.started && thread.member === null)
    pullIfBehind(world, thread, admitted.envelope.payload.decision.index, admitted.envelope.sender)
}

function onEnd(world: World, thread: Thread, admitted: Admitted<'FINALIZE' | 'INVALIDATE'>): void {
  const { context } = world
  const { verb } = admitted.envelope
  if (thread.end !== null) return
  const { outcome } = admitted.envelope.payload
  const checked = outcomeCheck(world, thread, admitted)
  if (!checked.ok) return thread.warn(context, `a ${verb} was refused: ${checked.refusal.message}`)
  if ((outcome.result === 'INVALID') !== (verb === 'INVALIDATE'))
    return thread.warn(context, `a ${verb} was refused: its outcome is ${outcome.result}`)
  if (!isOfGroup(world, thread, checked.value, admitted.envelope.sender)) return
  thread.end = { admitted, outcome, signers: checked.value.signers }
  thread.plan.addCertified(admitted)
  thread.member = null
  thread.formation = null
  thread.sealing = null
  if (contradicted(thread) !== null) disagree(world, thread, verb)
  if (thread.isComplete()) world.observeEnd(thread)
  else if (world.started) pullNow(world, thread, admitted.envelope.sender)
}

function pullIfBehind(world: World, thread: Thread, index: number, from: string): void {
  if ((thread.group?.entries.length ?? 0) < index) pullNow(world, thread, from)
}

/** Asks the one who knows more, unless this node asked a moment ago. */
function pullIfUnasked(world: World, thread: Thread, from: string): void {
  if (world.started && world.context.nowMs - thread.pulledAt >= world.context.settings.retryMs)
    pullNow(world, thread, from)
}
