import {
  OPEN_THREADS_PER_REQUESTER_MAX,
  ok,
  type Refusal,
  type Result,
  refuse,
  TEXT_LENGTH_MAX
} from '../base/index.ts'
import type { Draft } from '../envelope/index.ts'
import { checkNeed } from '../need/index.ts'
import { PlanState } from '../plan/index.ts'
import type { Context } from './context.ts'
import { driveFormation } from './formation.ts'
import { knowEnds } from './known-ends.ts'
import { refuseCircle, updatePlan } from './planning.ts'
import { absentNow, beginSealing, checkReform } from './sealing.ts'
import { standingOf } from './standing.ts'
import type { Thread } from './thread.ts'
import type { Command } from './types.ts'
import { takeVerdict } from './verdicts.ts'
import { refuseVoid } from './void.ts'
import type { World } from './world.ts'

/** Runs a command of the local user or agent. The reply comes at once, or with the envelope that it leads to. */
export function runCommand(world: World, id: number, command: Command): void {
  const { context } = world
  const find = (thread: string): Thread | undefined => world.thread(thread)
  if (command.type === 'know-ends') return context.reply(id, knowEnds(world, command.ends))
  if ('thread' in command) {
    const thread = find(command.thread)
    if (thread === undefined) return context.reply(id, noThread(context, command.thread))
    if (command.type === 'warn') {
      thread.warn(context, command.message.slice(0, TEXT_LENGTH_MAX).toWellFormed())
      return context.reply(id, ok(null))
    }
    const voided = refuseVoid(context, thread)
    if (voided !== null) return context.reply(id, voided)
    if (command.type === 'update-plan') {
      const refused = updatePlan(context, thread, { ...command, id })
      return refused === undefined ? undefined : context.reply(id, refused)
    }
    return context.reply(id, act(context, thread, command))
  }
  const drafted = draftOf(context, command, find)
  if (!drafted.ok) context.refuseCommand(id, drafted.refusal)
  else context.waiting.set(context.publish(drafted.value), id)
}

function act(
  context: Context,
  thread: Thread,
  command: Extract<Command, { type: 'verdict' | 'reform' }>
): Result<unknown> {
  return command.type === 'verdict'
    ? takeVerdict(context, thread, command)
    : reform(context, thread)
}

/** Opens a new epoch because the user says so. */
function reform(context: Context, thread: Thread): Result<{ readonly epoch: number }> {
  const checked = checkReform(context, thread)
  if (!checked.ok) return checked
  const epoch = thread.formation?.epoch ?? thread.epoch()
  beginSealing(context, thread, absentNow(context, thread))
  driveFormation(context, thread)
  return ok({ epoch: epoch + 1 })
}

function draftOf(
  context: Context,
  command: Exclude<Command, { thread: string } | { type: 'know-ends' }>,
  find: (thread: string) => Thread | undefined
): Result<Draft> {
  if (command.type === 'publish') return complete(context, command.draft, find)
  if (command.type === 'announce') return ok(command.draft as Draft)
  const checked = checkNeed(command.draft)
  if (!checked.ok) return checked
  if (!context.openThreads.hasRoomFor(context.did)) return tooManyThreads()
  const { slot, epoch } = command.draft.payload
  const until = context.tombstones.coveredUntil(`${context.did}/${slot}`, epoch)
  return until === null ? ok(command.draft as Draft) : slotEnded(context, slot, until)
}

/** The refusal of a NEED in a slot that had a group, and how long it stays so: members keep their promises until nothing of it can come any more (R12). */
function slotEnded({ nowMs }: Context, slot: string, until: number): Result<never> {
  const minutes = Math.max(1, Math.ceil((until - nowMs) / 60_000))
  const wait = `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return refuse(
    'SLOT_ENDED',
    `a NEED in the slot ${slot} of this node has ended, and the slot is taken for another ${wait}: name another slot, or wait`
  )
}

function noThread(context: Context, id: string): Result<never> {
  if (context.tombstones.has(id)) return threadEnded(context, id)
  return refuse('THREAD_NOT_FOUND', `this node follows no thread ${id}`)
}

/** The refusal of a NEED beyond what one requester may have open. */
export function tooManyThreads(): { readonly ok: false; readonly refusal: Refusal } {
  return refuse(
    'TOO_MANY_THREADS',
    `this node has ${OPEN_THREADS_PER_REQUESTER_MAX} open NEEDs, and nobody would follow more: wait until some have ended`
  )
}

/** The refusal of anything that is said about a thread that has a tombstone. */
export function threadEnded(
  context: Context,
  id: string
): { readonly ok: false; readonly refusal: Refusal } {
  return refuse('THREAD_ENDED', `the thread has ended: ${context.tombstones.get(id)?.phase}`)
}

/** Who says it, from this node's manifest. */
function withStanding(context: Context, draft: Draft<'PROPOSE' | 'ATTEST_PLAN'>): Draft {
  const { payload } = draft
  return {
    ...draft,
    payload: { ...payload, standing: payload.standing ?? standingOf(context) }
  } as Draft
}

/** The links of a proposal may close no circle among themselves. What others say of the plan, strangers too, keeps nobody from bidding. */
function completeProposal(context: Context, draft: Draft<'PROPOSE'>): Result<Draft> {
  return refuseCircle(new PlanState(), draft.payload.patch) ?? ok(withStanding(context, draft))
}

/** Fills in epoch and fence, and refuses early what the group would find void. */
function complete(
  context: Context,
  draft: Draft,
  find: (thread: string) => Thread | undefined
): Result<Draft> {
  const thread = find(String(draft.thread))
  if (thread === undefined) return noThread(context, String(draft.thread))
  if (thread.isEnded()) return refuse('THREAD_ENDED', `the thread has ended: ${thread.phase()}`)
  // Who holds the lease of a void thread may still give it back.
  const voided = draft.verb === 'YIELD' ? null : refuseVoid(context, thread)
  if (voided !== null) return voided
  const state = thread.group?.log.state
  const epoch = thread.epoch()
  switch (draft.verb) {
    case 'PROPOSE':
      return completeProposal(context, draft as Draft<'PROPOSE'>)
    case 'ATTEST_PLAN':
      return ok(withStanding(context, draft as Draft<'ATTEST_PLAN'>))
    case 'CLAIM':
      if (thread.certifiedDecision()?.worker !== context.did)
        return refuse('NOT_DECIDED', 'this node has not been decided for the task')
      return ok({ ...draft, epoch })
    case 'HEARTBEAT':
    case 'YIELD':
    case 'COMMIT': {
      const lease = state?.lease ?? null
      if (lease === null || lease.holder !== context.did)
        return refuse('NO_LEASE', 'this node does not hold the lease of the task')
      return ok({ ...draft, epoch, fence: lease.fence })
    }
    case 'ATTEST':
    case 'REJECT':
      return refuse('USE_VERDICT', 'verdicts are sealed first: use the verdict command')
    case 'UPDATE_PLAN':
      return refuse('USE_UPDATE_PLAN', 'the node places plan updates: use the update-plan command')
    case 'FORM':
    case 'DECIDE':
    case 'FINALIZE':
    case 'INVALIDATE':
      return refuse('GROUP_ONLY', `${draft.verb} is derived by the group, not stated by a user`)
    case 'CHALLENGE':
      if (state?.phase !== 'VERIFIED')
        return refuse('NO_WINDOW', 'the challenge window is not open')
      return ok({ ...draft, epoch })
    default:
      return ok(draft)
  }
}
