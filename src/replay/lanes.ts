import { availableParallelism } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type CheckedChunk, type ChunkInit, checkChunk } from './check-chunk.ts'
import { RecordWorkerError } from './errors.ts'
import { unpackChunk } from './packed-chunk.ts'
import type { WorkerAnswer, WorkerMessage, WorkerSetup } from './worker-protocol.ts'

/** Checks chunks, some at once. */
export type Lanes = {
  /** Chunks that may be under way. */
  readonly depth: number
  check(text: Uint8Array, trusted: boolean): Promise<CheckedChunk>
}

/** Threads that have nothing to check against yet. */
export type StartedThreads = {
  /** `here`: what to check with in this thread, once it is needed. */
  open(setup: WorkerSetup, here: () => ChunkInit): Lanes
  close(): Promise<void>
}

/** Threads at most, this one included: folding is one thread's work, and beyond it the others only wait. */
const THREADS_MAX = 16
/** Heap of a thread in MiB: chunks come and go, and a thread would let garbage lie for as long as it may. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32 }
/** Chunks for each thread: one that it works on, and others that wait until this thread looks again. */
const CHUNKS_PER_THREAD = 3
/** Chunks that this thread may check before one that another has is done: they are folded in order, and while it waits it does nothing. */
const CHUNKS_AHEAD = 4

/** In this thread: for short records, and for verifiers that only this thread has. */
export function inlineLane(init: ChunkInit): Lanes {
  return {
    depth: 1,
    check: async (text, trusted) => checkChunk(text, init, trusted)
  }
}

/** Starts the threads beside this one: they load while the head of the record is read. */
export function startThreads(jobs: number = availableParallelism()): StartedThreads {
  const count = Math.max(1, Math.min(jobs, THREADS_MAX)) - 1
  const threads = Array.from({ length: count }, () => new Thread())
  return {
    open: (setup, here) => {
      for (const thread of threads) thread.begin(setup)
      return threadLanes(threads, here)
    },
    close: async () => {
      await Promise.all(threads.map(thread => thread.close()))
    }
  }
}

/**
 * On all cores: this thread, which also folds, and others beside it. What the others have no room for is checked here, so that no core waits and there is one
 * thread less to warm up. A thread that ends rejects what it had with RECORD_WORKER.
 */
function threadLanes(threads: readonly Thread[], here: () => ChunkInit): Lanes {
  const idlest = (): Thread | undefined =>
    threads
      .filter(({ waiting }) => waiting < CHUNKS_PER_THREAD)
      .reduce<Thread | undefined>(
        (a, b) => (a === undefined || b.waiting < a.waiting ? b : a),
        undefined
      )
  let own: ChunkInit | null = null
  const checkHere = (text: Uint8Array, trusted: boolean): CheckedChunk => {
    own ??= here()
    return checkChunk(text, own, trusted)
  }
  const check = async (text: Uint8Array, trusted: boolean): Promise<CheckedChunk> => {
    let thread = idlest()
    // Answers of the others may lie here unseen.
    if (thread === undefined) await turn()
    thread ??= idlest()
    return thread === undefined ? checkHere(text, trusted) : thread.ask(text, trusted)
  }
  return {
    depth: threads.length * CHUNKS_PER_THREAD + CHUNKS_AHEAD,
    check: (text, trusted) => {
      const answer = check(text, trusted)
      // Whoever stops early does not ask what became of the rest.
      answer.catch(() => undefined)
      return answer
    }
  }
}

class Thread {
  readonly #worker: Worker
  readonly #asked: PromiseWithResolvers<CheckedChunk>[] = []

  constructor() {
    this.#worker = new Worker(workerUrl(), { resourceLimits: THREAD_LIMITS })
    this.#worker.on('message', (answer: WorkerAnswer) =>
      this.#asked.shift()?.resolve(unpackChunk(answer))
    )
    this.#worker.on('error', error => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the thread ended')))
  }

  /** Chunks that it has not answered. */
  get waiting(): number {
    return this.#asked.length
  }

  begin(setup: WorkerSetup): void {
    const message: WorkerMessage = { setup }
    this.#worker.postMessage(message)
  }

  ask(text: Uint8Array, trusted: boolean): Promise<CheckedChunk> {
    const answer = Promise.withResolvers<CheckedChunk>()
    this.#asked.push(answer)
    const task: WorkerMessage = { text, trusted }
    this.#worker.postMessage(task, [text.buffer as ArrayBuffer])
    return answer.promise
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(cause: Error): void {
    const error = new RecordWorkerError(
      `a thread that checks the record ended: ${cause.message}`,
      {},
      { cause }
    )
    for (const answer of this.#asked.splice(0)) answer.reject(error)
  }
}

/** Beside this file in the sources; in the bundle, where this file is a chunk, in the folder of the room. */
function workerUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../replay/worker.${extension}`, import.meta.url)
}
