import { ok, PLAN_SESSIONS_MAX, type Result, refuse } from '../base/index.ts'
import { CID } from '../codec/index.ts'
import type { Fact, Payload } from '../envelope/index.ts'
import type { PlanState } from '../plan/index.ts'
import type { Context } from './context.ts'
import { threadDraft } from './drafts.ts'
import type { Thread } from './thread.ts'

/** Own updates of one plan that wait for the one before them to be signed. */
const UPDATES_WAITING_MAX = 256
/** Names in a sentence about a circle. */
const CIRCLE_NAMES_MAX = 8

/** What a user or agent wants to add to a plan. */
export type PlanUpdate = {
  /** The command that is answered. */
  readonly id: number
  readonly facts: readonly Fact[]
  readonly refs: readonly CID[]
}

/** Adds facts to a plan. Each own update names the one before by its CID, so they are signed one after the other. */
export function updatePlan(
  context: Context,
  thread: Thread,
  update: PlanUpdate
): Result<never> | undefined {
  if (thread.isEnded()) return refuse('THREAD_ENDED', `the thread has ended: ${thread.phase()}`)
  const { plan } = thread
  if (plan.waiting.length >= UPDATES_WAITING_MAX)
    return refuse('BUSY', 'too many updates of this plan wait to be signed: wait a moment')
  plan.waiting.push(update)
  if (plan.signing === null) sayNext(context, thread)
  return undefined
}

/** An own update has been signed and filed, or refused: the next one's turn. */
export function onPlanSaid(context: Context, thread: Thread, lamport: number): void {
  if (thread.plan.signing !== lamport) return
  thread.plan.signing = null
  sayNext(context, thread)
}

function sayNext(context: Context, thread: Thread): void {
  const { plan } = thread
  for (let next = plan.waiting.shift(); next !== undefined; next = plan.waiting.shift()) {
    const payload = payloadOf(context, thread, next.facts)
    if (!payload.ok) {
      context.refuseCommand(next.id, payload.refusal)
      continue
    }
    const draft = threadDraft(context, thread, 'UPDATE_PLAN', payload.value, { refs: next.refs })
    plan.signing = context.publish(draft)
    context.waiting.set(plan.signing, next.id)
    return
  }
}

function payloadOf(
  context: Context,
  thread: Thread,
  facts: readonly Fact[]
): Result<Payload<'UPDATE_PLAN'>> {
  const plan = thread.plan.open()
  const circular = refuseCircle(plan, facts)
  if (circular !== null) return circular
  const place = plan.nextPlace(context.did)
  if (place === null)
    return refuse(
      'PLAN_SESSIONS_USED_UP',
      `this node has used up its ${PLAN_SESSIONS_MAX} sessions in the thread: say the rest in a new NEED`
    )
  const previous = place.previous === null ? null : CID.parse(place.previous)
  return ok({ ...place, previous, facts: [...facts] })
}

/** The refusal of facts that would close a circle in a plan, or null. */
export function refuseCircle(plan: PlanState, facts: readonly Fact[]): Result<never> | null {
  const circle = plan.circleOf(facts)
  if (circle === null) return null
  return refuse('PLAN_CYCLE', `the links would close a circle: ${way(circle)}`)
}

function way(circle: readonly string[]): string {
  if (circle.length <= CIRCLE_NAMES_MAX) return circle.join(' -> ')
  const left = circle.slice(0, CIRCLE_NAMES_MAX - 2)
  return [...left, `${circle.length - left.length - 1} more`, circle.at(-1)].join(' -> ')
}
