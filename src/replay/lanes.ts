import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type CheckedChunk, type ChunkInit, checkChunk } from './check-chunk.ts'
import { RecordWorkerError } from './errors.ts'
import { unpackChunk } from './packed-chunk.ts'
import type { WorkerAnswer, WorkerSetup, WorkerTask } from './worker-protocol.ts'

/** Checks chunks, some at once. */
export type Lanes = {
  /** Chunks that may be under way. */
  readonly depth: number
  check(text: Uint8Array, trusted: boolean): Promise<CheckedChunk>
  close(): Promise<void>
}

/** Threads at most: folding is one thread's work, and beyond it the others only wait. */
const THREADS_MAX = 16
/** Heap of a thread in MiB: chunks come and go, and a thread would let garbage lie for as long as it may. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }
/** Chunks for each thread: one that it works on, and one that waits. */
const CHUNKS_PER_THREAD = 2

/** In this thread: for short records, and for verifiers that only this thread has. */
export function inlineLane(init: ChunkInit): Lanes {
  return {
    depth: 1,
    check: async (text, trusted) => checkChunk(text, init, trusted),
    close: async () => undefined
  }
}

/** On all cores. A thread that ends rejects what it had with RECORD_WORKER. */
export function threadLanes(setup: WorkerSetup, jobs: number = availableParallelism()): Lanes {
  const count = Math.max(1, Math.min(jobs, THREADS_MAX))
  const threads = Array.from({ length: count }, () => new Thread(setup))
  let next = 0
  return {
    depth: count * CHUNKS_PER_THREAD,
    check: (text, trusted) => (threads[next++ % count] as Thread).ask(text, trusted),
    close: async () => {
      await Promise.all(threads.map(thread => thread.close()))
    }
  }
}

class Thread {
  readonly #worker: Worker
  readonly #asked: PromiseWithResolvers<CheckedChunk>[] = []

  constructor(setup: WorkerSetup) {
    this.#worker = new Worker(workerUrl(), { workerData: setup, resourceLimits: THREAD_LIMITS })
    this.#worker.on('message', (answer: WorkerAnswer) =>
      this.#asked.shift()?.resolve(unpackChunk(answer))
    )
    this.#worker.on('error', error => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the thread ended')))
  }

  ask(text: Uint8Array, trusted: boolean): Promise<CheckedChunk> {
    const answer = Promise.withResolvers<CheckedChunk>()
    // Whoever stops early does not ask what became of the rest.
    answer.promise.catch(() => undefined)
    this.#asked.push(answer)
    const task: WorkerTask = { text, trusted }
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
