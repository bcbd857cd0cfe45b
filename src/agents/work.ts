import type { ThreadView } from '../core/swarm/index.ts'
import type { SwarmClient, Telemetry } from '../rpc/index.ts'
import { addArtifact, fetchAll } from './artifacts.ts'
import { proposedPlan } from './plan/bid.ts'
import { coordinate } from './plan/coordinator.ts'
import { isPlanProgram, type Plan } from './plan/plan.ts'
import type { Program } from './program.ts'
import { type FinishedRun, outputsOf, runProgram } from './run-program.ts'

export type WorkInit = {
  readonly program: Program
  /** This node. */
  readonly did: string
  /** Credits that the worker asks for itself. */
  readonly price: string
  /** ms that the program may run. A plan has until its NEED expires. */
  readonly timeoutMs: number
  readonly fetchTimeoutMs: number | undefined
  /** Aborts when the lease is gone. */
  readonly signal: AbortSignal
  readonly progress: (percent: number) => void
  /** A task of the plan was stated, or had been before. */
  readonly onTask: (task: string, stated: string) => void
}

/** What is committed. */
export type FinishedWork = { readonly outputs: readonly string[]; readonly telemetry: Telemetry }

/** Does the decided task: by its program, or by having the plan done that was decided. Rejects with what either rejects with. */
export async function doWork(
  client: SwarmClient,
  view: ThreadView,
  init: WorkInit
): Promise<FinishedWork> {
  const { program, signal } = init
  if (isPlanProgram(program) && view.decide !== null) {
    const { thread, decide } = view
    const plan = await proposedPlan(client, { thread, proposal: decide.proposal }, signal)
    if (plan.tasks.length > 0) return workByPlan(client, view, { ...init, plan })
  }
  return workByProgram(client, view, init)
}

async function workByPlan(
  client: SwarmClient,
  view: ThreadView,
  init: WorkInit & { readonly plan: Plan }
): Promise<FinishedWork> {
  const { plan, price } = init
  const startedAt = performance.now()
  const bid = view.proposals.find(({ id }) => id === view.decide?.proposal)?.cost ?? price
  const paid = BigInt(bid) - BigInt(price)
  const share = paid / BigInt(plan.tasks.length)
  const { outputs, spent, tokens } = await coordinate(client, view, { ...init, share })
  // What was tried in vain is the coordinator's own loss.
  const cost = String((spent < paid ? spent : paid) + BigInt(price))
  const wallMs = Math.round(performance.now() - startedAt)
  return { outputs, telemetry: telemetryOf({ telemetry: { cost, tokens }, wallMs }, init) }
}

async function workByProgram(
  client: SwarmClient,
  view: ThreadView,
  init: WorkInit
): Promise<FinishedWork> {
  const { program, signal, progress, timeoutMs, fetchTimeoutMs } = init
  const fetching = { signal, ...(fetchTimeoutMs && { timeoutMs: fetchTimeoutMs }) }
  const input = await fetchAll(client, view.inputs, fetching)
  const run = await runProgram(program, input, { signal, progress, inputs: view.inputs, timeoutMs })
  const name = `output of ${view.thread}`
  const outputs: string[] = []
  for (const output of outputsOf(run))
    outputs.push(await addArtifact(client, output, { name, signal }))
  return { outputs, telemetry: telemetryOf(run, init) }
}

function telemetryOf(
  { telemetry = {}, wallMs }: Pick<FinishedRun, 'telemetry' | 'wallMs'>,
  { program, price }: WorkInit
): Telemetry {
  return {
    tokens: telemetry.tokens ?? 0,
    cost: telemetry.cost ?? price,
    wallMs,
    exitStatus: telemetry.exitStatus ?? 0,
    tool: telemetry.tool ?? program.name,
    model: telemetry.model ?? '',
    zone: ''
  }
}
