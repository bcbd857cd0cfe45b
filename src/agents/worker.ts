import { TERMINAL, type ThreadView } from '../core/swarm/index.ts'
import type { SwarmClient } from '../rpc/index.ts'
import { type AgentInit, type Signalled, withSignal } from './agent-init.ts'
import { JobAbortedError } from './errors.ts'
import type { AgentEvent } from './events.ts'
import { type Heartbeat, startHeartbeat } from './heartbeat.ts'
import { type Job, startJob } from './job.ts'
import { CONCURRENCY, FAILURES_MAX, PROGRAM_TIMEOUT_MS, REASON_LENGTH_MAX } from './limits.ts'
import { planBid } from './plan/bid.ts'
import { isPlanProgram } from './plan/plan.ts'
import { restate } from './restate.ts'
import { prepare } from './run-program.ts'
import { Slots } from './slots.ts'
import { StatementPacer } from './statements.ts'
import { ThreadFollower } from './thread-follower.ts'
import { doWork, type FinishedWork } from './work.ts'
import { workerStep } from './worker-step.ts'
import { workloadOf } from './workload.ts'

export type WorkerInit = AgentInit & {
  /** Credits asked for each task, decimal text. Default: 1. */
  readonly price?: string
  /** Time that a task is expected to take, in ms, for each that this node has bid on or been given; breaks ties between equal prices. Default: 1000. */
  readonly etaMs?: number
  /** Times that one task is given back before it is left alone. Default: 2. */
  readonly failuresMax?: number
}

/**
 * Works on NEEDs that require the capability: proposes, claims what is decided for it, runs the program under the lease, commits
 * its output. Resolves when the signal aborts; rejects when the connection to the node ends. Everything it does follows from the
 * thread, so it may be started anew at any time.
 */
export async function runWorker(client: SwarmClient, init: WorkerInit): Promise<void> {
  const signalled = withSignal(init)
  const { did } = await client.call('node.id', {}, { signal: signalled.signal })
  await new Worker(client, signalled, did).run()
}

class Worker {
  readonly #client: SwarmClient
  readonly #init: Signalled<WorkerInit>
  readonly #did: string
  readonly #price: string
  readonly #follower: ThreadFollower
  readonly #jobs = new Map<string, Job>()
  readonly #slots: Slots
  /** Threads whose claim waits for a free slot. */
  readonly #waiting = new Set<string>()
  readonly #pacer = new StatementPacer()
  readonly #workload: Set<string>

  constructor(client: SwarmClient, init: Signalled<WorkerInit>, did: string) {
    this.#client = client
    this.#workload = workloadOf(client)
    this.#init = init
    this.#did = did
    this.#price = init.price ?? '1'
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
        await this.#client.call(
          'agent.announce',
          { capabilities: [capability], roles: ['worker'] },
          { signal }
        )
        this.#tell({ type: 'announced', capability })
      })
    } finally {
      for (const job of this.#jobs.values()) job.stop(new JobAbortedError('the agent stops'))
      await Promise.all([...this.#jobs.values()].map(job => job.done))
    }
  }

  async #look(view: ThreadView): Promise<number | null> {
    const { thread } = view
    const { failuresMax = FAILURES_MAX } = this.#init
    const step = workerStep(view, { did: this.#did, price: this.#price, failuresMax })
    if (step.kind !== 'work') this.#stopJob(thread)
    this.#load(view)
    switch (step.kind) {
      case 'propose':
        return this.#state(thread, 'propose', () => this.#propose(view))
      case 'claim':
        if (!this.#slots.hasFree) {
          this.#waiting.add(thread)
          return null
        }
        return this.#state(thread, 'claim', async () => {
          await this.#client.call('agent.claim', { thread }, this.#options())
          this.#tell({ type: 'claimed', thread })
        })
      case 'work':
        this.#work(view, step.lease)
        return null
      case 'ended':
        this.#pacer.forget(thread)
        this.#tell({ type: 'ended', thread, phase: view.phase })
        return null
      default:
        return null
    }
  }

  /** A bid that is open, or was taken, until the thread is over or void. */
  #load({ thread, phase, void: voided, proposals, decide }: ThreadView): void {
    const isMine =
      decide === null
        ? proposals.some(({ worker }) => worker === this.#did)
        : decide.worker === this.#did
    if (isMine && voided === null && !TERMINAL.has(phase)) this.#workload.add(thread)
    else this.#workload.delete(thread)
  }

  async #propose(view: ThreadView): Promise<void> {
    const { thread } = view
    const { program, signal, fetchTimeoutMs, etaMs = 1000 } = this.#init
    const fetching = { signal, ...(fetchTimeoutMs && { timeoutMs: fetchTimeoutMs }) }
    const bid = isPlanProgram(program)
      ? await planBid(this.#client, view, { program, price: this.#price, fetching })
      : { cost: this.#price }
    const load = this.#workload.size - (this.#workload.has(thread) ? 1 : 0)
    this.#workload.add(thread)
    // What the NEED rests on beside its inputs is what other slots have decided.
    const shardDependencies = view.refs.filter(ref => !view.inputs.includes(ref))
    await this.#client.call(
      'agent.propose',
      { thread, ...bid, etaMs: etaMs * (1 + load), shardDependencies },
      this.#options()
    )
    this.#tell({ type: 'proposed', thread, cost: bid.cost })
    prepare(program)
  }

  /** Says something about a thread, not more often than the pacer allows. */
  async #state(thread: string, call: string, say: () => Promise<void>): Promise<number> {
    const key = `${thread} ${call}`
    const waitMs = this.#pacer.waitMs(key)
    if (waitMs > 0) return waitMs
    try {
      await say()
      this.#pacer.made(key)
    } catch (error) {
      this.#pacer.refused(key)
      this.#refused(thread, call, error)
    }
    return this.#pacer.waitMs(key)
  }

  /** Runs the program once for each lease. */
  #work(view: ThreadView, lease: string): void {
    const { thread } = view
    const former = this.#jobs.get(thread)
    if (former?.key === lease) return
    this.#stopJob(thread)
    const job = startJob({
      key: lease,
      parent: this.#init.signal,
      work: async signal => {
        // Two at once would state the tasks of a plan twice.
        await former?.done
        await this.#runJob(view, signal)
      },
      onCrash: error => this.#tell({ type: 'failed', thread, error: error as Error })
    })
    this.#jobs.set(thread, job)
    void job.done.then(() => {
      const waiting = [...this.#waiting]
      this.#waiting.clear()
      for (const other of waiting) this.#follower.poke(other)
    })
  }

  #stopJob(thread: string): void {
    const job = this.#jobs.get(thread)
    if (job === undefined) return
    this.#jobs.delete(thread)
    job.stop(new JobAbortedError('the lease of the task is gone'))
  }

  async #runJob(view: ThreadView, signal: AbortSignal): Promise<void> {
    const { thread } = view
    const heartbeat = this.#startHeartbeat(view, signal)
    try {
      const { progress } = heartbeat
      const work = await this.#slots.run(() => this.#doWork(view, { signal, progress }))
      await this.#commit(view, work, signal)
    } catch (error) {
      if (signal.aborted) return
      this.#tell({ type: 'failed', thread, error: error as Error })
      await this.#giveBack(thread, error as Error)
    } finally {
      heartbeat.stop()
    }
  }

  #startHeartbeat(view: ThreadView, signal: AbortSignal): Heartbeat {
    const { thread } = view
    return startHeartbeat(this.#client, {
      thread,
      everyMs: Math.max(1, Math.floor(view.windows.leaseTtlMs / 3)),
      expiresAt: view.lease?.expiresAt ?? 0,
      signal,
      onLost: () => {
        this.#tell({ type: 'lease-lost', thread })
        this.#stopJob(thread)
        this.#follower.poke(thread)
      }
    })
  }

  #doWork(
    view: ThreadView,
    context: { readonly signal: AbortSignal; readonly progress: (percent: number) => void }
  ): Promise<FinishedWork> {
    context.signal.throwIfAborted()
    const { thread } = view
    this.#tell({ type: 'started', thread })
    const { program, timeoutMs = PROGRAM_TIMEOUT_MS, fetchTimeoutMs } = this.#init
    return doWork(this.#client, view, {
      program,
      timeoutMs,
      fetchTimeoutMs,
      did: this.#did,
      price: this.#price,
      onTask: (task, stated) => this.#tell({ type: 'task-stated', thread, task, stated }),
      ...context
    })
  }

  async #commit(view: ThreadView, work: FinishedWork, signal: AbortSignal): Promise<void> {
    const { thread } = view
    const { telemetry } = work
    const outputs = [...work.outputs]
    // Until the thread shows it, or the lease goes: both end the job.
    await restate(signal, {
      say: () => this.#client.call('agent.commit', { thread, outputs, telemetry }, this.#options()),
      onSaid: () => this.#tell({ type: 'committed', thread, outputs }),
      onRefused: error => this.#refused(thread, 'commit', error)
    })
  }

  async #giveBack(thread: string, cause: Error): Promise<void> {
    const reason = cause.message.slice(0, REASON_LENGTH_MAX).toWellFormed()
    try {
      await this.#client.call('agent.yield', { thread, reason }, this.#options())
      this.#tell({ type: 'yielded', thread, reason })
    } catch (error) {
      // The lease then runs out by itself.
      this.#refused(thread, 'yield', error)
    }
  }

  #options(): { readonly signal: AbortSignal } {
    return { signal: this.#init.signal }
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
