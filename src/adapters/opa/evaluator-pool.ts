import { Tinypool } from 'tinypool'
import { assert } from '../../core/base/index.ts'
import type { PolicyDecision } from '../../core/policy/index.ts'
import { PolicyTimeoutError, PolicyUnavailableError } from './errors.ts'
import { BATCH_QUESTIONS_MAX, IDLE_THREAD_MS, LOAD_MS_MAX, START_MS_MAX } from './limits.ts'
import type { CapsuleSource, CheckTask, JudgeAnswer, JudgeTask, ThreadData } from './protocol.ts'
import { type Question, QuestionQueue } from './question-queue.ts'

/** MiB of JavaScript heap of a thread: a few messages and the compiled code. Policies live in wasm memory. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 }

export type EvaluatorPoolInit = {
  /** The bundled `worker.js` of this room. */
  readonly workerUrl: URL
  /** Threads at most. The first stays; another comes when a whole batch waits, and goes when it has been idle. */
  readonly threads: number
  /** Capsules that every thread is started with; others are sent along with each question. */
  readonly sources: readonly CapsuleSource[]
  /** Questions to one capsule that wait at most. */
  readonly ofCapsuleMax: number
  /** ms of wall time for one question. */
  readonly timeoutMs: number
  /** Asked first when a question is alone; null: a thread has to answer. */
  readonly judgeAlone?: (capsule: string, input: string | null) => PolicyDecision | null
  /** A thread was ended or has ended, and why (R17). */
  readonly onAlarm: (why: string, about: { readonly capsule: string }) => void
}

/** What runs in one thread, or may. */
type Lane = { readonly index: number; isBusy: boolean }

/**
 * Threads that judge, and the questions that wait for them, bounded and in turns. What waits for a thread goes to it in one message. A question
 * that takes too long or breaks its thread fails alone: the thread is replaced, and the others are asked again.
 */
export class EvaluatorPool {
  readonly #init: EvaluatorPoolInit
  readonly #lanes: readonly Lane[]
  /** At which of its questions each lane is, from 1. */
  readonly #progress: Int32Array
  readonly #waiting: QuestionQueue
  #threads: Tinypool | null = null
  #isPumping = false
  /** Why the last threads were ended, for what waited for them. */
  #endedBy = ''

  constructor(init: EvaluatorPoolInit) {
    this.#init = init
    this.#waiting = new QuestionQueue(init.ofCapsuleMax)
    this.#lanes = Array.from({ length: init.threads }, (_, index) => ({ index, isBusy: false }))
    const bytes = init.threads * Int32Array.BYTES_PER_ELEMENT
    this.#progress = new Int32Array(new SharedArrayBuffer(bytes))
  }

  /** Rejects with PolicyTimeoutError or PolicyUnavailableError: local faults. */
  judge(source: CapsuleSource, input: string | null): Promise<PolicyDecision> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ source, input, resolve, reject })) this.#pumpSoon()
      else reject(new PolicyUnavailableError('too many evaluations wait'))
    })
  }

  /** Opens a capsule in some thread and runs its vectors: why it is refused, or null. Rejects like `judge`. */
  async check(task: CheckTask): Promise<string | null> {
    const { capsule } = task.source
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), LOAD_MS_MAX)
    const threads = this.#pool()
    try {
      return await threads.run(task, { name: 'check', signal: abort.signal })
    } catch (error) {
      const failure = abort.signal.aborted
        ? new PolicyTimeoutError(capsule, LOAD_MS_MAX)
        : this.#broken(error)
      // Threads that were ended on purpose are nobody's alarm.
      if (this.#threads === threads) this.#init.onAlarm(failure.message, { capsule })
      throw failure
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends the threads; what waits is rejected. A later question starts them again. */
  async close(why: string): Promise<void> {
    const threads = this.#threads
    this.#threads = null
    this.#endedBy = why
    this.#rejectAll(this.#waiting.clear())
    if (threads !== null) await endThreads(threads)
  }

  #pool(): Tinypool {
    this.#threads ??= this.#spawn()
    return this.#threads
  }

  #spawn(): Tinypool {
    const threads = new Tinypool({
      filename: this.#init.workerUrl.href,
      minThreads: 1,
      maxThreads: this.#init.threads,
      idleTimeout: IDLE_THREAD_MS,
      // The flags of this process, such as --eval, are not the thread's.
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
      workerData: { sources: this.#init.sources, progress: this.#progress } satisfies ThreadData
    })
    // A thread that ends before it has a task: none can be started.
    threads.on('error', (error: Error) => {
      if (this.#threads !== threads) return
      void this.close(`the worker ends at once: ${error.message}`)
    })
    return threads
  }

  /** After this turn, so that what is asked in one turn is one message. */
  #pumpSoon(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    queueMicrotask(() => {
      this.#isPumping = false
      this.#pump()
    })
  }

  #pump(): void {
    this.#judgeAlone()
    for (const lane of this.#lanes) {
      if (this.#waiting.size === 0) return
      // One thread serves a few faster than two that share the work.
      if (lane.index > 0 && this.#waiting.size < BATCH_QUESTIONS_MAX) return
      if (!lane.isBusy) void this.#run(lane, this.#waiting.take())
    }
  }

  #judgeAlone(): void {
    const lone = this.#waiting.lone()
    if (lone === undefined) return
    const decision = this.#init.judgeAlone?.(lone.source.capsule, lone.input) ?? null
    if (decision === null) return
    this.#waiting.take()
    lone.resolve(decision)
  }

  async #run(lane: Lane, batch: readonly Question[]): Promise<void> {
    const [first] = batch
    assert(first !== undefined, 'a batch has a question')
    const { source } = first
    lane.isBusy = true
    Atomics.store(this.#progress, lane.index, 0)
    const at = (): number => Atomics.load(this.#progress, lane.index)
    const watch = new Watch(at, this.#init.timeoutMs)
    const isKnown = this.#init.sources.includes(source)
    const task: JudgeTask = {
      capsule: source.capsule,
      source: isKnown ? null : source,
      inputs: batch.map(({ input }) => input),
      lane: lane.index
    }
    const threads = this.#pool()
    const beganAt = performance.now()
    let left = batch
    try {
      const options = { name: 'judge', signal: watch }
      const decisions: JudgeAnswer = await threads.run(task, options)
      for (const [i, decision] of decisions.entries()) batch[i]?.resolve(decision)
      left = batch.slice(decisions.length)
    } catch (error) {
      if (this.#threads === threads) left = this.#fail(batch, at(), watch.isOver ? null : error)
      else left = this.#rejectAll(batch)
    } finally {
      watch.stop()
      lane.isBusy = false
      this.#waiting.charge(source.capsule, performance.now() - beganAt)
    }
    this.#waiting.putBack(left)
    this.#pumpSoon()
  }

  /** Rejects the question at which the thread was, and returns the others: their answers are lost with it. `error` null: it took too long. */
  #fail(batch: readonly Question[], number: number, error: unknown): readonly Question[] {
    const at = Math.max(0, number - 1)
    const culprit = batch[at]
    assert(culprit !== undefined, 'a thread is at a question that it was asked')
    const { capsule } = culprit.source
    const { timeoutMs } = this.#init
    const failure =
      error === null ? new PolicyTimeoutError(capsule, timeoutMs) : this.#broken(error)
    this.#init.onAlarm(failure.message, { capsule })
    culprit.reject(failure)
    return batch.toSpliced(at, 1)
  }

  #rejectAll(batch: readonly Question[]): readonly [] {
    const error = new PolicyUnavailableError(this.#endedBy)
    for (const question of batch) question.reject(error)
    return []
  }

  #broken(error: unknown): PolicyUnavailableError {
    return new PolicyUnavailableError(`the worker ended: ${(error as Error).message}`, {
      cause: error
    })
  }
}

/**
 * Ends the threads of a pool. The library waits for each with `events.once`, which takes its listeners off a thread that fails meanwhile; the library's
 * threads lack the method for that, and the exception would be nobody's and end the process. It also replaces a thread that has failed.
 */
async function endThreads(threads: Tinypool): Promise<void> {
  while (threads.threads.length > 0) {
    for (const thread of threads.threads) Object.assign(thread, { removeListener: () => thread })
    // It rejects with what a thread failed by, which is no longer of interest.
    await threads.destroy().catch(() => undefined)
  }
}

/**
 * Ends a task that stays too long at one question, or does not begin. A thread that is being started gets longer. It is the signal of its task:
 * an AbortController would take as long as half a question.
 */
class Watch {
  readonly #at: () => number
  readonly #timeoutMs: number
  readonly #beganAt = performance.now()
  #timer: NodeJS.Timeout
  #seen = 0
  #abort: (() => void) | null = null
  isOver = false

  constructor(at: () => number, timeoutMs: number) {
    this.#at = at
    this.#timeoutMs = timeoutMs
    this.#timer = this.#wait()
  }

  once(_name: 'abort', listener: () => void): void {
    this.#abort = listener
  }

  off(): void {
    this.#abort = null
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #wait(): NodeJS.Timeout {
    return setTimeout(() => this.#look(), this.#timeoutMs).unref()
  }

  #look(): void {
    const number = this.#at()
    const isStarting = number === 0 && performance.now() - this.#beganAt < START_MS_MAX
    if (number === this.#seen && !isStarting) {
      this.isOver = true
      return this.#abort?.()
    }
    this.#seen = number
    this.#timer = this.#wait()
  }
}
