import { access, constants, mkdir, stat, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Violation } from './checkers/violation.ts'
import { SimulatorWorkerError, TraceFailedError } from './errors.ts'
import type { FaultName } from './faults.ts'
import type { Plan } from './plan.ts'
import type { SignatureName } from './signatures.ts'
import type { WorkerAnswer, WorkerSetup, WorkerTask } from './worker-protocol.ts'

export type SeedsInit = {
  /** How many seeds, from `from` on. */
  readonly seeds: number
  readonly from: number
  readonly faults?: readonly FaultName[]
  readonly signatures?: SignatureName
  /** Threads; one for each core when absent. */
  readonly jobs?: number
  /** Folder for the traces of failed seeds; made when the first is written. */
  readonly traceDir: string
  readonly onSeed?: (progress: { readonly done: number; readonly failed: number }) => void
  readonly onFailure?: (failure: SeedFailure) => void
  /** Ends the run early; what was done is reported. */
  readonly signal?: AbortSignal
}

/** A seed that broke a rule, and all that it takes to look into it. */
export type SeedFailure = {
  readonly seed: number
  readonly violations: readonly Violation[]
  readonly plan: Plan
  /** File with every event of the run; null after the first TRACES_MAX failures, whose `command` writes one. */
  readonly trace: string | null
  /** Command line that runs it again. */
  readonly command: string
}

export type SeedsReport = {
  /** Seeds that ran; fewer than asked for when the run was ended early. */
  readonly seeds: number
  readonly from: number
  readonly failures: readonly SeedFailure[]
  readonly simulatedMs: number
  readonly realMs: number
  readonly events: number
  /** How threads ended at their requesters, with how often. */
  readonly ends: Readonly<Record<string, number>>
}

/** Nursery of a thread's heap, in MB: a seed makes much that lives no longer than it, and the usual size moves it about. */
const YOUNG_MB = 96

/** Traces written, at most: the first failures tell most, and each has some megabytes. */
const TRACES_MAX = 16

/**
 * Runs seeds on all cores. Resolves with what was found, also when the signal ends it early; rejects with SIMULATOR_WORKER or,
 * before the first seed where that can be seen, TRACE_FAILED.
 */
export async function runSeeds(init: SeedsInit): Promise<SeedsReport> {
  await checkTraceDir(init.traceDir)
  const batch = new Batch(init)
  const jobs = Math.min(init.jobs ?? availableParallelism(), Math.max(1, init.seeds))
  await Promise.all(Array.from({ length: jobs }, () => batch.work()))
  return batch.report()
}

class Batch {
  readonly #init: SeedsInit
  readonly #startedAt = performance.now()
  readonly #failures: SeedFailure[] = []
  readonly #ends: Record<string, number> = {}
  #next: number
  #done = 0
  #simulatedMs = 0
  #events = 0
  #isBroken = false

  constructor(init: SeedsInit) {
    this.#init = init
    this.#next = init.from
  }

  /** One thread: takes the next seed as long as there is one. */
  async work(): Promise<void> {
    const { faults, signatures, signal } = this.#init
    const setup: WorkerSetup = { faults: faults ?? null, signatures: signatures ?? null }
    const worker = new Worker(workerUrl(), {
      workerData: setup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB }
    })
    const stop = (): void => void worker.terminate()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      for (let seed = this.#take(); seed !== null; seed = this.#take())
        await this.#file(await ask(worker, { seed }, signal))
    } catch (error) {
      this.#isBroken = true
      if (signal?.aborted !== true) throw error
    } finally {
      signal?.removeEventListener('abort', stop)
      await worker.terminate()
    }
  }

  report(): SeedsReport {
    return {
      seeds: this.#done,
      from: this.#init.from,
      failures: this.#failures.toSorted((a, b) => a.seed - b.seed),
      simulatedMs: this.#simulatedMs,
      realMs: Math.round(performance.now() - this.#startedAt),
      events: this.#events,
      ends: this.#ends
    }
  }

  #take(): number | null {
    const { from, seeds, signal } = this.#init
    if (this.#next >= from + seeds || signal?.aborted === true || this.#isBroken) return null
    return this.#next++
  }

  async #file(answer: WorkerAnswer): Promise<void> {
    const { onSeed, onFailure } = this.#init
    this.#done += 1
    this.#simulatedMs += answer.simulatedMs
    this.#events += answer.events
    for (const end of answer.ends) this.#ends[end] = (this.#ends[end] ?? 0) + 1
    if (answer.failure !== null) {
      const failure = await this.#keep(answer.seed, answer.failure)
      this.#failures.push(failure)
      onFailure?.(failure)
    }
    onSeed?.({ done: this.#done, failed: this.#failures.length })
  }

  async #keep(
    seed: number,
    { violations, plan, lines }: NonNullable<WorkerAnswer['failure']>
  ): Promise<SeedFailure> {
    const isKept = this.#failures.length < TRACES_MAX
    const trace = isKept ? join(this.#init.traceDir, `seed-${seed}.txt`) : null
    if (trace !== null) {
      const head = [JSON.stringify(plan), ...violations.map(violation => JSON.stringify(violation))]
      try {
        await mkdir(this.#init.traceDir, { recursive: true })
        await writeFile(trace, `${head.join('\n')}\n\n${lines.join('')}`)
      } catch (cause) {
        throw traceFailed(trace, cause)
      }
    }
    return { seed, violations, plan, trace, command: this.#command(seed) }
  }

  #command(seed: number): string {
    const { faults, signatures } = this.#init
    const words = ['can-swarm', 'simulate', '--seeds', '1', '--from', String(seed)]
    if (faults !== undefined) words.push('--faults', faults.join() || 'none')
    if (signatures !== undefined) words.push('--signatures', signatures)
    return words.join(' ')
  }
}

/** Sees before hours of seeds, and not at the first failure, that there is no writing there. Makes nothing: most runs leave no trace. */
async function checkTraceDir(traceDir: string): Promise<void> {
  for (let path = resolve(traceDir); ; path = dirname(path)) {
    try {
      if (!(await stat(path)).isDirectory()) throw traceFailed(path, new Error('not a folder'))
      return await access(path, constants.W_OK)
    } catch (cause) {
      const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
      if (isAbsent && dirname(path) !== path) continue
      throw cause instanceof TraceFailedError ? cause : traceFailed(path, cause)
    }
  }
}

function traceFailed(path: string, cause: unknown): TraceFailedError {
  const why = (cause as Error).message
  return new TraceFailedError(
    `traces cannot be written to ${path} (${why}): choose another folder with --trace`,
    { path },
    { cause }
  )
}

function ask(
  worker: Worker,
  task: WorkerTask,
  signal: AbortSignal | undefined
): Promise<WorkerAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WorkerAnswer>()
  const onExit = (): void =>
    reject(new SimulatorWorkerError(`the thread that ran seed ${task.seed} ended`, { ...task }))
  const onError = (cause: Error): void =>
    reject(
      new SimulatorWorkerError(
        `the thread that ran seed ${task.seed} failed: ${cause.message}`,
        { ...task },
        { cause }
      )
    )
  worker.once('message', resolve).once('exit', onExit).once('error', onError)
  if (signal?.aborted === true) onExit()
  worker.postMessage(task)
  return promise.finally(() =>
    worker.off('message', resolve).off('exit', onExit).off('error', onError)
  )
}

/** Beside this file in the sources; in the bundle, where this file is a chunk, in the folder of the room. */
function workerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../simulator/worker.${extension}`, import.meta.url)
}
