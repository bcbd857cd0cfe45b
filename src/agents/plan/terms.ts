import type { ThreadView } from '../../core/swarm/index.ts'
import type { NeedRequest } from '../../rpc/index.ts'
import { PlanBudgetError, PlanTaskFailedError } from '../errors.ts'
import { BOUNTY_PART, TASK_CREDITS, TASK_TTL_MS_MIN } from '../limits.ts'

/** What a plan costs its requester: the coordinator's price, and the same share for each task. */
export type PlanCost = { readonly cost: bigint; readonly share: bigint }

/**
 * The bid for a plan of so many tasks. The share is lowered to what the NEED pays. Throws PlanBudgetError when a task could not be
 * paid at all.
 */
export function planCost(
  { price, tasks }: { readonly price: string; readonly tasks: number },
  budget: string
): PlanCost {
  const fits = (BigInt(budget) - BigInt(price)) / BigInt(tasks)
  const share = fits < TASK_CREDITS ? fits : TASK_CREDITS
  if (share < 1n)
    throw new PlanBudgetError(
      `the plan has ${tasks} tasks, and the NEED pays ${budget}: less than one credit for each`
    )
  return { cost: BigInt(price) + share * BigInt(tasks), share }
}

/**
 * The terms of a task's NEED, out of those of the plan's own. K, class, policy, terms and mode are the same; the share is split into budget and
 * bounty. What is left until the plan's NEED expires is divided among the tasks that still follow each other and the plan's own result; a task has
 * one such part, in which its windows must fit together.
 * Throws PlanTaskFailedError when no time is left.
 */
export function taskTerms(
  parent: ThreadView,
  init: {
    /** Tasks on the longest way from this one to the last, itself included. */
    readonly height: number
    readonly share: bigint
    readonly nowMs: number
  }
): Pick<
  NeedRequest,
  | 'budget'
  | 'verifyBounty'
  | 'kPlan'
  | 'kResult'
  | 'windows'
  | 'ttlMs'
  | 'taskClass'
  | 'capsule'
  | 'terms'
  | 'solo'
> {
  const { height, share, nowMs } = init
  const turnMs = Math.floor((parent.expiresAt - nowMs) / (height + 1))
  if (turnMs < TASK_TTL_MS_MIN)
    throw new PlanTaskFailedError('too little time is left for the tasks of the plan')
  const bounty = share / BOUNTY_PART
  return {
    budget: String(share - bounty),
    verifyBounty: String(bounty),
    kPlan: parent.kPlan,
    kResult: parent.kResult,
    windows: windowsWithin(parent.windows, turnMs),
    ttlMs: turnMs,
    taskClass: parent.taskClass === 'open' ? 'open' : 'deterministic',
    capsule: parent.capsule,
    ...(parent.terms === null ? {} : { terms: termsOf(parent.terms) }),
    solo: parent.solo
  }
}

/** As a request has them: what is not asked is left out. */
function termsOf(terms: NonNullable<ThreadView['terms']>): NonNullable<NeedRequest['terms']> {
  const asked = Object.entries(terms).filter(([, value]) => value !== null)
  return Object.fromEntries(asked) as NonNullable<NeedRequest['terms']>
}

/** All windows by one factor, so that they fit into the time together; a lease is as long as the parent's. */
function windowsWithin(
  { leaseTtlMs, ...windows }: ThreadView['windows'],
  turnMs: number
): ThreadView['windows'] {
  const totalMs = Object.values(windows).reduce((sum, ms) => sum + ms, 0)
  const factor = Math.min(1, turnMs / Math.max(1, totalMs))
  const shrunk = (ms: number): number => (ms === 0 ? 0 : Math.max(1, Math.floor(ms * factor)))
  return {
    bidMs: shrunk(windows.bidMs),
    leaseTtlMs,
    verifyMs: shrunk(windows.verifyMs),
    sealMs: shrunk(windows.sealMs),
    revealMs: shrunk(windows.revealMs),
    challengeMs: shrunk(windows.challengeMs)
  }
}
