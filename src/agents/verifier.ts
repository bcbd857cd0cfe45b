import type { ThreadView } from '../core/swarm/index.ts'
import type { SwarmClient } from '../rpc/index.ts'
import { type AgentInit, type Signalled, withSignal } from './agent-init.ts'
import { JobAbortedError } from './errors.ts'
import type { AgentEvent } from './events.ts'
import { type Job, startJob } from './job.ts'
import { type Compare, type Finding, judge } from './judgement.ts'
import { CONCURRENCY, FETCH_TIMEOUT_MS, PROGRAM_TIMEOUT_MS, REASON_LENGTH_MAX } from './limits.ts'
import { proposedPlan } from './plan/bid.ts'
import { checkPlan } from './plan/check-plan.ts'
import { isPlanProgram } from './plan/plan.ts'
import { restate } from './restate.ts'
import { prepare } from './run-program.ts'
import { Slots } from './slots.ts'
import { StatementPacer } from './statements.ts'
import { ThreadFollower } from './thread-follower.ts'
import { type VerifierStep, verifierStep } from './verifier-step.ts'

export type VerifierInit = AgentInit & {
  /** Default: equal bytes, for deterministic tasks; open tasks need one. */
  readonly compare?: Compare
}

/**
 * Verifies NEEDs that require the capability: attests sound proposals of others, does committed work again and says whether the
 * result is the same, also when it is challenged later. Abstains when it cannot judge. Resolves when the signal aborts; rejects
 * when the connection to the node ends. Everything it does follows from the thread, so it may be started anew at any time.
 */
export async function runVerifier(client: SwarmClient, init: VerifierInit): Promise<void> {
  const signalled = withSignal(init)
  const { did } = await client.call('node.id', {}, { signal: signalled.signal })
  await new Verifier(client, signalled, did).run()
}

class Verifier {
  readonly #client: SwarmClient
  readonly #init: Signalled<VerifierInit>
  readonly #did: string
  readonly #follower: ThreadFollower
  readonly #jobs = new Map<string, Job>()
  readonly #slots: Slots
  readonly #pacer = new StatementPacer()

  constructor(client: SwarmClient, init: Signalled<VerifierInit>, did: string) {
    this.#client = client
    this.#init = init
    this.#did = did
    this.#slots = new Slots(init.concurrency ?? CONCURRENCY)
    this.#follower = new ThreadFollower(client, {
      wants: view => view.requires.includes(init.capability),
      look: view => this.#look(view)
    })
  }

  async run(): Promise<void> {
    const { capability, signal } = this.#init
    try {
      await this.#follower.run(signal, async () => {
        const manifest = { capabilities: [capability], roles: ['verifier' as const] }
        await this.#client.call('agent.announce', manifest, { signal })
        this.#tell({ type: 'announced', capability })
      })
    } finally {
      for (const job of this.#jobs.values()) job.stop(new JobAbortedError('the agent stops'))
      await Promise.all([...this.#jobs.values()].map(job => job.done))
    }
  }

  async #look(view: ThreadView): Promise<number | null> {
    const { thread } = view
    const step = verifierStep(view, this.#did)
    if (step.kind !== 'judge') this.#stopJob(thread)
    switch (step.kind) {
      case 'attest-plans':
        return this.#attestPlans(thread, step.proposals)
      case 'judge':
        this.#judge(view, step)
        return null
      case 'ended':
        this.#pacer.forget(thread)
        this.#tell({ type: 'ended', thread, phase: view.phase })
        return null
      default:
        return null
    }
  }

  async #attestPlans(thread: string, proposals: readonly string[]): Promise<number> {
    const waits = await Promise.all(proposals.map(proposal => this.#attestPlan(thread, proposal)))
    return Math.min(...waits)
  }

  async #attestPlan(thread: string, proposal: string): Promise<number> {
    const key = `${thread} ${proposal}`
    const waitMs = this.#pacer.waitMs(key)
    if (waitMs > 0) return waitMs
    try {
      const { program, signal } = this.#init
      if (isPlanProgram(program)) await this.#checkPlan({ thread, proposal })
      await this.#client.call('agent.attestPlan', { thread, proposal }, { signal })
      this.#pacer.made(key)
      this.#tell({ type: 'plan-attested', thread, proposal })
      prepare(this.#init.program)
    } catch (error) {
      this.#pacer.refused(key)
      this.#refused(thread, 'attestPlan', error)
    }
    return this.#pacer.waitMs(key)
  }

  /** A proposal that states tasks must be one that can run. */
  async #checkPlan(proposed: {
    readonly thread: string
    readonly proposal: string
  }): Promise<void> {
    const plan = await proposedPlan(this.#client, proposed, this.#init.signal)
    if (plan.tasks.length > 0) checkPlan(plan)
  }

  /** Judges each COMMIT once in each round. */
  #judge(view: ThreadView, step: Extract<VerifierStep, { kind: 'judge' }>): void {
    const { thread } = view
    const key = `${step.commit} ${step.dispute ? 'dispute' : 'first'}`
    if (this.#jobs.get(thread)?.key === key) return
    this.#stopJob(thread)
    const work = (signal: AbortSignal): Promise<void> =>
      this.#runJob(view, { commit: step.commit, signal })
    const onCrash = (error: unknown): void =>
      this.#tell({ type: 'failed', thread, error: error as Error })
    this.#jobs.set(thread, startJob({ key, parent: this.#init.signal, work, onCrash }))
  }

  #stopJob(thread: string): void {
    const job = this.#jobs.get(thread)
    if (job === undefined) return
    this.#jobs.delete(thread)
    job.stop(new JobAbortedError('the round is over'))
  }

  async #runJob(
    view: ThreadView,
    { commit, signal }: { readonly commit: string; readonly signal: AbortSignal }
  ): Promise<void> {
    const { thread } = view
    const { program, compare } = this.#init
    const { timeoutMs = PROGRAM_TIMEOUT_MS, fetchTimeoutMs = FETCH_TIMEOUT_MS } = this.#init
    const judgement = await this.#slots.run(() => {
      signal.throwIfAborted()
      this.#tell({ type: 'started', thread })
      return judge(this.#client, view, { program, compare, signal, timeoutMs, fetchTimeoutMs })
    })
    if (judgement.finding === null)
      return this.#tell({ type: 'abstained', thread, commit, reason: judgement.because })
    await this.#say({ thread, commit }, judgement.finding, signal)
  }

  async #say(
    { thread, commit }: { readonly thread: string; readonly commit: string },
    finding: Finding,
    signal: AbortSignal
  ): Promise<void> {
    const { pass } = finding
    const reasons = finding.reasons
      .slice(0, 8)
      .map(reason => reason.slice(0, REASON_LENGTH_MAX).toWellFormed())
    await restate(signal, {
      say: () => this.#client.call('agent.verdict', { thread, commit, pass, reasons }, { signal }),
      onSaid: () => this.#tell({ type: 'judged', thread, commit, pass, reasons }),
      onRefused: error => this.#refused(thread, 'verdict', error)
    })
  }

  #refused(thread: string, call: string, error: unknown): void {
    if (this.#init.signal.aborted) return
    const { code = 'INTERNAL', message } = error as { code?: string; message: string }
    this.#tell({ type: 'refused', thread, call, code, message })
  }

  #tell(event: AgentEvent): void {
    this.#init.onEvent?.(event)
  }
}
