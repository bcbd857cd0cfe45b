import type { ThreadView } from '../../core/swarm/index.ts'
import { type FactText, factTextOf, type SwarmClient } from '../../rpc/index.ts'
import { type FetchInit, fetchAll } from '../artifacts.ts'
import { checkPlan } from './check-plan.ts'
import type { Plan, PlanProgram } from './plan.ts'
import { factsOf, planOf } from './plan-facts.ts'
import { planCost } from './terms.ts'

/** What a coordinator bids: all tasks and itself, and the plan as facts. */
export type PlanBid = { readonly cost: string; readonly patch: FactText[] }

/**
 * Makes the plan for a NEED and what it costs. Rejects with what is wrong with the plan, with PlanBudgetError, or with what the program or the
 * fetch of its input rejects with.
 */
export async function planBid(
  client: SwarmClient,
  view: ThreadView,
  init: {
    readonly program: PlanProgram
    readonly price: string
    readonly fetching: FetchInit & { readonly signal: AbortSignal }
  }
): Promise<PlanBid> {
  const { program, price, fetching } = init
  const input = await fetchAll(client, view.inputs, fetching)
  const plan = await program.plan(input, { signal: fetching.signal, inputs: view.inputs })
  const checked = checkPlan(plan)
  const { cost } = planCost({ price, tasks: plan.tasks.length }, view.budget)
  return { cost: String(cost), patch: factsOf(checked, view) }
}

/** The plan that a proposal states; without tasks when its bidder does the work in one piece. */
export async function proposedPlan(
  client: SwarmClient,
  { thread, proposal }: { readonly thread: string; readonly proposal: string },
  signal: AbortSignal
): Promise<Plan> {
  const asked = { thread, envelope: proposal }
  const { changes } = await client.call('plan.changes', asked, { signal })
  return planOf(changes[0]?.facts.map(factTextOf) ?? [])
}
