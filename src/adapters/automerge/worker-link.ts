import { Worker } from 'node:worker_threads'
import { assert } from '../../core/base/index.ts'
import { PlanUnavailableError } from './errors.ts'
import { ANSWER_MS_MAX, WAITING_MAX } from './limits.ts'
import type { WorkerAnswer, WorkerData, WorkerRequest } from './protocol.ts'

/** MiB of JavaScript heap of the worker. Automerge keeps its documents in wasm memory; this holds views on their way out. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 }

type Waiting = {
  readonly resolve: (answer: WorkerAnswer) => void
  readonly reject: (error: Error) => void
}

/**
 * One worker thread, started by the first request. When it ends or hangs every waiting request fails and `onLost` is called:
 * its documents are gone. The next request starts a new one.
 */
export class WorkerLink {
  readonly #workerUrl: URL
  readonly #workerData: WorkerData
  readonly #onLost: (why: string) => void
  #waiting: Waiting[] = []
  #worker: Worker | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(workerUrl: URL, workerData: WorkerData, onLost: (why: string) => void) {
    this.#workerUrl = workerUrl
    this.#workerData = workerData
    this.#onLost = onLost
  }

  isRunning(): boolean {
    return this.#worker !== null
  }

  ask(request: WorkerRequest): Promise<WorkerAnswer> {
    if (this.#waiting.length >= WAITING_MAX) {
      return Promise.reject(new PlanUnavailableError('too many requests wait'))
    }
    const worker = this.#worker ?? this.#spawn()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      worker.postMessage(request)
      if (this.#waiting.length === 1) this.#watch(worker)
    })
  }

  async close(): Promise<void> {
    const worker = this.#worker
    this.#lose('the store is stopped')
    await worker?.terminate()
  }

  #spawn(): Worker {
    const worker = new Worker(this.#workerUrl, {
      workerData: this.#workerData,
      // The flags of this process, such as --eval, are not the worker's.
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
      name: 'can-swarm-plan'
    })
    this.#worker = worker
    worker.unref()
    worker.on('message', (answer: WorkerAnswer) => {
      if (this.#worker !== worker) return
      const waiting = this.#waiting.shift()
      assert(waiting !== undefined, 'an answer belongs to a request')
      this.#watch(worker)
      waiting.resolve(answer)
    })
    const end = (why: string): void => {
      if (this.#worker !== worker) return
      this.#lose(why)
      this.#onLost(why)
    }
    worker.on('error', error => end(error.message))
    worker.on('exit', status => end(`it ended with status ${status}`))
    return worker
  }

  /** Times the request at the head, and keeps the process alive exactly while there is one. */
  #watch(worker: Worker): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#waiting.length === 0) {
      worker.unref()
      return
    }
    worker.ref()
    this.#timer = setTimeout(() => {
      this.#lose('it does not answer')
      this.#onLost('it does not answer')
      void worker.terminate()
    }, ANSWER_MS_MAX)
    this.#timer.unref()
  }

  #lose(why: string): void {
    this.#worker = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const lost = this.#waiting
    this.#waiting = []
    for (const { reject } of lost) reject(new PlanUnavailableError(`the worker is gone: ${why}`))
  }
}
