import { TERMINAL, type ThreadView } from '../../core/swarm/index.ts'
import type { FactText, SwarmClient } from '../../rpc/index.ts'
import { PlanTaskFailedError } from '../errors.ts'
import { REASON_LENGTH_MAX, TASK_ATTEMPTS_MAX } from '../limits.ts'
import { waitForThread } from '../wait-for-thread.ts'
import { type Attempts, findAttempts, slotOf } from './attempts.ts'
import { type CheckedPlan, checkPlan } from './check-plan.ts'
import { FactWriter } from './fact-writer.ts'
import type { Plan, PlanTask } from './plan.ts'
import { Ramp } from './ramp.ts'
import { taskTerms } from './terms.ts'

export type CoordinatorInit = {
  readonly plan: Plan
  /** This node. */
  readonly did: string
  /** Credits for each task. */
  readonly share: bigint
  /** Aborts when the lease of the plan's NEED is gone. Tasks that were stated go on in the swarm. */
  readonly signal: AbortSignal
  readonly progress: (percent: number) => void
  /** A task was stated, or had been before. */
  readonly onTask: (task: string, thread: string) => void
}

/** What came out of a plan. */
export type Coordinated = {
  readonly outputs: readonly string[]
  /** Credits that went to others. */
  readonly spent: bigint
  readonly tokens: number
}

/** One task that is FINAL. */
type Finished = { readonly view: ThreadView; readonly outputs: readonly string[] }

/**
 * Has the tasks of a plan done: each is stated as a NEED once those that it waits for are FINAL, and stated again when it fails. Everything
 * follows from what the node has, so a coordinator that is started anew finds what was stated and goes on. Rejects with PlanTaskFailedError
 * when a task failed too often or too little time is left, with the errors of `checkPlan`, or with the signal's reason.
 */
export async function coordinate(
  client: SwarmClient,
  parent: ThreadView,
  init: CoordinatorInit
): Promise<Coordinated> {
  const { did, signal } = init
  const plan = checkPlan(init.plan)
  const facts = new FactWriter(client, { thread: parent.thread, signal })
  const [attempts] = await Promise.all([
    findAttempts(client, parent, { did, signal }),
    facts.resume(did)
  ])
  return new Coordinator({ client, parent, plan, facts, attempts, init }).run()
}

type CoordinatorParts = {
  readonly client: SwarmClient
  readonly parent: ThreadView
  readonly plan: CheckedPlan
  readonly facts: FactWriter
  readonly attempts: Attempts
  readonly init: CoordinatorInit
}

class Coordinator {
  readonly #parts: CoordinatorParts
  readonly #ramps = new Map<string, Ramp>()
  readonly #failed = new AbortController()
  readonly #signal: AbortSignal
  #finished = 0

  constructor(parts: CoordinatorParts) {
    this.#parts = parts
    this.#signal = AbortSignal.any([parts.init.signal, this.#failed.signal])
  }

  async run(): Promise<Coordinated> {
    const { plan, facts } = this.#parts
    const running = new Map<string, Promise<Finished>>()
    for (const task of plan.order) {
      const before = plan.waitsFor.get(task.task)?.map(name => running.get(name)) ?? []
      running.set(
        task.task,
        Promise.all(before as Promise<Finished>[]).then(finished => this.#runTask(task, finished))
      )
    }
    try {
      const all = await Promise.all(running.values())
      await facts.flushed()
      const last = all.at(plan.order.indexOf(plan.last)) as Finished
      return { outputs: last.outputs, ...sumOf(all, this.#parts.init.did) }
    } catch (error) {
      this.#failed.abort(error)
      await Promise.allSettled(running.values())
      throw error
    }
  }

  async #runTask(task: PlanTask, before: readonly Finished[]): Promise<Finished> {
    let why = ''
    for (let attempt = 1; attempt <= TASK_ATTEMPTS_MAX; attempt++) {
      const view = await this.#attempt(task, { attempt, before })
      why =
        view.void?.reason ??
        (view.phase === 'FINAL' ? outputsFlaw(task, view) : `${view.phase}: ${view.reason}`)
      if (why === '') return this.#finish(task, view)
      this.#say(task, 'failed', `attempt ${attempt}: ${why}`)
    }
    throw new PlanTaskFailedError(
      `${task.task} of the plan failed ${TASK_ATTEMPTS_MAX} times: ${why}`,
      { task: task.task }
    )
  }

  /** States the task, unless that has happened, and follows it to its end. */
  async #attempt(
    task: PlanTask,
    given: { readonly attempt: number; readonly before: readonly Finished[] }
  ): Promise<ThreadView> {
    const { client, parent, attempts, init } = this.#parts
    const known = attempts.get(slotOf(parent, task.task, given.attempt))
    const ramp = known === undefined ? this.#rampOf(task.capability) : null
    await ramp?.enter()
    let isOpen = ramp !== null
    const settle = (): void => {
      if (isOpen) ramp?.decided()
      isOpen = false
    }
    try {
      this.#signal.throwIfAborted()
      const thread = known ?? (await this.#state(task, given))
      init.onTask(task.task, thread)
      this.#say(task, 'thread', thread)
      return await waitForThread(client, thread, {
        signal: this.#signal,
        onView: view => {
          if (view.decide?.certified !== true && !TERMINAL.has(view.phase)) return
          settle()
          this.#sayDecided(task, view)
        }
      })
    } finally {
      settle()
    }
  }

  /** Not cancelled by the signal: whether the NEED is out must be known, or it would be stated twice. */
  async #state(
    task: PlanTask,
    { attempt, before }: { readonly attempt: number; readonly before: readonly Finished[] }
  ): Promise<string> {
    const { client, parent, plan, init } = this.#parts
    const height = plan.height.get(task.task) ?? 1
    const rests = before.flatMap(({ view }) => view.finalize?.id ?? [])
    const { thread } = await client.call('need.state', {
      capability: task.capability,
      slot: slotOf(parent, task.task, attempt),
      inputCids: inputsOf(plan, task, before),
      refs: [...(parent.decide === null ? [] : [parent.decide.proposal]), ...rests],
      ...taskTerms(parent, { height, share: init.share, nowMs: Date.now() })
    })
    return thread
  }

  #finish({ task }: PlanTask, view: ThreadView): Finished {
    const outputs = view.commit?.outputs ?? []
    const { facts, plan, init } = this.#parts
    facts.say(
      [
        ...outputs.map((artifact): FactText => ({ kind: 'PRODUCES', task, artifact })),
        { kind: 'STATE', task, state: 'FINAL' }
      ],
      view.finalize === null ? [] : [view.finalize.id]
    )
    this.#finished += 1
    init.progress(Math.floor((this.#finished * 100) / plan.order.length))
    return { view, outputs }
  }

  #sayDecided({ task }: PlanTask, { decide }: ThreadView): void {
    if (decide === null || !decide.certified) return
    this.#parts.facts.say([
      { kind: 'STATE', task, state: 'DECIDED' },
      { kind: 'ANNOTATE', task, key: 'worker', value: decide.worker }
    ])
  }

  #say({ task }: PlanTask, key: string, value: string): void {
    const text = value.slice(0, REASON_LENGTH_MAX).toWellFormed()
    this.#parts.facts.say([{ kind: 'ANNOTATE', task, key, value: text }])
  }

  #rampOf(capability: string): Ramp {
    const ramp = this.#ramps.get(capability) ?? new Ramp()
    this.#ramps.set(capability, ramp)
    return ramp
  }
}

/** The artifacts that a task reads, in the order of its inputs. */
function inputsOf(plan: CheckedPlan, task: PlanTask, before: readonly Finished[]): string[] {
  const products = new Map<string, string>()
  for (const [index, name] of (plan.waitsFor.get(task.task) ?? []).entries()) {
    const maker = plan.order.find(one => one.task === name)
    for (const [at, product] of (maker?.produces ?? []).entries())
      products.set(product, before[index]?.outputs[at] ?? '')
  }
  return task.inputs.map(input =>
    'artifact' in input ? input.artifact : (products.get(input.product) ?? '')
  )
}

/** A task that made more or less than the plan says cannot be gone on with. */
function outputsFlaw({ produces }: PlanTask, { commit }: ThreadView): string {
  const count = commit?.outputs.length ?? 0
  return count === produces.length
    ? ''
    : `it made ${count} outputs, the plan has ${produces.length}`
}

function sumOf(
  finished: readonly Finished[],
  did: string
): { readonly spent: bigint; readonly tokens: number } {
  let spent = 0n
  let tokens = 0
  for (const { view } of finished) {
    tokens += Number(view.commit?.telemetry['tokens'] ?? 0)
    for (const { to, amount } of view.finalize?.payouts ?? [])
      if (to !== did) spent += BigInt(amount)
  }
  return { spent, tokens }
}
