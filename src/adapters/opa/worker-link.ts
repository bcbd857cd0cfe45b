import { Worker } from 'node:worker_threads'
import { assert } from '../../core/base/index.ts'
import type { WorkerAnswer, WorkerRequest } from './protocol.ts'

/** MiB of JavaScript heap of the worker: a few messages and the compiled code. Policies live in wasm memory. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 }
/** Longest start of the thread, in ms. A machine under heavy load needs seconds. */
const START_MS_MAX = 30_000

type Waiting = {
  readonly request: WorkerRequest
  readonly resolve: (answer: WorkerAnswer) => void
  readonly reject: (error: Error) => void
}

export type WorkerLinkInit = {
  readonly workerUrl: URL
  /** Sent to every new thread before anything else. */
  readonly preload: () => readonly WorkerRequest[]
  /** ms for one answer. */
  readonly timeoutMs: number
  /** The error of a request that got no answer in time. */
  readonly timeoutError: (request: WorkerRequest) => Error
  /** A thread ended or was ended, and why. */
  readonly onRestart: (why: string) => void
  /** The error of requests that wait when threads cannot be started, or at the end. */
  readonly unavailable: (why: string) => Error
}

/**
 * One worker thread and the requests that wait for it, in order. A thread that does not answer in time is ended: the request
 * at the head fails, the others go to the next thread, so one slow policy costs its own messages only.
 */
export class WorkerLink {
  readonly #init: WorkerLinkInit
  readonly #waiting: Waiting[] = []
  #head = 0
  #worker: Worker | null = null
  #timer: NodeJS.Timeout | null = null
  /** Answers to come that nobody waits for: those of the preload. */
  #unclaimed = 0
  #crashes = 0

  constructor(init: WorkerLinkInit) {
    this.#init = init
  }

  /** Requests without an answer yet. */
  get waiting(): number {
    return this.#waiting.length - this.#head
  }

  ask(request: WorkerRequest): Promise<WorkerAnswer> {
    const worker = this.#worker ?? this.#spawn()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject })
      worker.postMessage(request)
      if (this.waiting === 1) {
        worker.ref()
        if (this.#unclaimed === 0) this.#arm(this.#init.timeoutMs)
      }
    })
  }

  async close(why: string): Promise<void> {
    const worker = this.#detach()
    this.#failAll(this.#init.unavailable(why))
    await worker?.terminate()
  }

  #spawn(): Worker {
    const preload = this.#init.preload()
    const worker = new Worker(this.#init.workerUrl, {
      // The flags of this process, such as --eval, are not the worker's.
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
      name: 'can-swarm-policy'
    })
    this.#worker = worker
    this.#unclaimed = preload.length
    worker.unref()
    worker.on('message', (answer: WorkerAnswer) => {
      if (this.#worker === worker) this.#settle(worker, answer)
    })
    worker.on('error', error => this.#crashed(worker, error.message))
    worker.on('exit', status => this.#crashed(worker, `it ended with status ${status}`))
    for (const request of preload) worker.postMessage(request)
    this.#arm(START_MS_MAX)
    return worker
  }

  #settle(worker: Worker, answer: WorkerAnswer): void {
    if (this.#unclaimed > 0) {
      this.#unclaimed -= 1
      this.#rearm(worker)
      return
    }
    const waiting = this.#take()
    this.#crashes = 0
    this.#rearm(worker)
    waiting.resolve(answer)
  }

  #rearm(worker: Worker): void {
    if (this.#unclaimed > 0) return
    if (this.waiting > 0) this.#arm(this.#init.timeoutMs)
    else {
      this.#disarm()
      worker.unref()
    }
  }

  #take(): Waiting {
    const waiting = this.#waiting[this.#head]
    assert(waiting !== undefined, 'an answer belongs to a request')
    this.#head += 1
    if (this.#head === this.#waiting.length || this.#head === 1024) {
      this.#waiting.splice(0, this.#head)
      this.#head = 0
    }
    return waiting
  }

  #arm(ms: number): void {
    this.#disarm()
    this.#timer = setTimeout(() => this.#timedOut(), ms)
    this.#timer.unref()
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #timedOut(): void {
    const worker = this.#detach()
    void worker?.terminate()
    if (this.waiting === 0) return
    const late = this.#take()
    this.#init.onRestart('an evaluation took too long')
    late.reject(this.#init.timeoutError(late.request))
    this.#resend()
  }

  #crashed(worker: Worker, why: string): void {
    if (this.#worker !== worker) return
    this.#detach()
    this.#init.onRestart(why)
    this.#crashes += 1
    // The request at the head may be the cause; without it the next thread may do.
    if (this.waiting > 0) this.#take().reject(this.#init.unavailable(`the worker ended: ${why}`))
    if (this.#crashes >= 3) this.#failAll(this.#init.unavailable(`the worker ends at once: ${why}`))
    this.#resend()
  }

  #resend(): void {
    if (this.waiting === 0) return
    const worker = this.#spawn()
    worker.ref()
    for (const { request } of this.#waiting.slice(this.#head)) worker.postMessage(request)
  }

  #detach(): Worker | null {
    const worker = this.#worker
    this.#worker = null
    this.#disarm()
    return worker
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.splice(0).slice(this.#head)) reject(error)
    this.#head = 0
  }
}
