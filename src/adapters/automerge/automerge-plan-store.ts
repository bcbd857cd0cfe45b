import { assert } from '../../core/base/index.ts'
import { compareChanges } from '../../core/plan/index.ts'
import type { Logger, PlanChange, PlanStore } from '../../ports/index.ts'
import { decodeChange, encodeChange } from './encoding.ts'
import { PlanTooLargeError, PlanUnavailableError } from './errors.ts'
import { DOCUMENTS_MAX, FACTS_PER_THREAD_MAX, GATHER_MS, GATHERED_MAX } from './limits.ts'
import type { WorkerAnswer, WorkerRequest } from './protocol.ts'
import { WorkerLink } from './worker-link.ts'

export type AutomergePlanStoreInit = {
  /** The bundled `worker.js` of this room. */
  readonly workerUrl: URL
  /**
   * Every change of a thread that this node has admitted so far, in any order. Asked when a thread is touched whose document
   * is not in memory: at first use, after it was freed, after the worker ended.
   */
  readonly source: (thread: string) => readonly PlanChange[] | Promise<readonly PlanChange[]>
  readonly logger: Logger
  /** Documents in memory at once; the default suits a laptop. */
  readonly documentsMax?: number
}

/**
 * The plan store over Automerge in one worker thread, which starts with the first change or view. `apply` gathers changes
 * for a moment; `view` and `save` see all that were applied before them.
 */
export function automergePlanStore(init: AutomergePlanStoreInit): PlanStore {
  return new AutomergePlanStore(init)
}

type Gathered = {
  readonly changes: PlanChange[]
  readonly done: Promise<void>
  readonly flush: () => void
}

/** Times that a document is folded for one question before giving up: it was freed again at once each time. */
const FOLDS_MAX = 3

class AutomergePlanStore implements PlanStore {
  readonly #init: AutomergePlanStoreInit
  readonly #link: WorkerLink
  readonly #gathered = new Map<string, Gathered>()
  readonly #folding = new Map<string, Promise<void>>()
  /** Threads whose documents may lack changes. */
  readonly #stale = new Set<string>()
  #stopped = false

  constructor(init: AutomergePlanStoreInit) {
    const documentsMax = init.documentsMax ?? DOCUMENTS_MAX
    this.#init = init
    this.#link = new WorkerLink(init.workerUrl, { documentsMax }, why => {
      init.logger.warn('the plan worker ended; plans are folded again when they are asked for', {
        why
      })
    })
  }

  async start(): Promise<void> {
    this.#stopped = false
  }

  /** Changes that were still gathered are in their envelopes: the next start folds them again. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const { flush } of this.#gathered.values()) flush()
    this.#gathered.clear()
    await this.#link.close()
  }

  apply(thread: string, change: PlanChange): Promise<void> {
    if (this.#stopped) return Promise.reject(new PlanUnavailableError('the store is stopped'))
    const gathered = this.#gathered.get(thread) ?? this.#gather(thread)
    gathered.changes.push(change)
    if (gathered.changes.length >= GATHERED_MAX) gathered.flush()
    return gathered.done
  }

  async view(
    thread: string
  ): Promise<{ heads: readonly string[]; changes: readonly PlanChange[] }> {
    await this.#settle(thread)
    const answer = await this.#ask({ kind: 'view', thread })
    assert(answer.kind === 'viewed', 'a view is answered by one')
    return { heads: answer.heads, changes: answer.changes.map(decodeChange).sort(compareChanges) }
  }

  async drop(thread: string): Promise<void> {
    if (this.#stopped) return
    this.#gathered.get(thread)?.flush()
    // Before a worker is started there is no document, and none is started for this.
    if (this.#link.isRunning()) await this.#link.ask({ kind: 'drop', thread })
  }

  async save(thread: string): Promise<Uint8Array> {
    await this.#settle(thread)
    const answer = await this.#ask({ kind: 'save', thread })
    assert(answer.kind === 'saved', 'a save is answered by bytes')
    return answer.bytes
  }

  #gather(thread: string): Gathered {
    const changes: PlanChange[] = []
    let flush = (): void => undefined
    const done = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => flush(), GATHER_MS)
      flush = () => {
        clearTimeout(timer)
        if (this.#gathered.get(thread)?.changes !== changes) return
        this.#gathered.delete(thread)
        if (this.#stopped) resolve()
        else this.#apply(thread, changes).then(resolve, reject)
      }
    })
    const gathered = { changes, done, flush: () => flush() }
    this.#gathered.set(thread, gathered)
    return gathered
  }

  async #apply(thread: string, changes: readonly PlanChange[]): Promise<void> {
    try {
      checkApplied(
        thread,
        await this.#ask({ kind: 'apply', thread, changes: changes.map(encodeChange) })
      )
    } catch (error) {
      // The document may lack these changes now; the source has them.
      if (error instanceof PlanUnavailableError) this.#stale.add(thread)
      throw error
    }
  }

  /** Waits until everything applied so far is in the document. */
  async #settle(thread: string): Promise<void> {
    if (this.#stopped) throw new PlanUnavailableError('the store is stopped')
    const gathered = this.#gathered.get(thread)
    gathered?.flush()
    // Whoever applied hears of a failure; the reader gets what is there.
    await gathered?.done.catch(() => undefined)
    if (this.#stale.has(thread)) await this.#fold(thread)
  }

  /** Asks the worker, which may have to be given the whole thread first. */
  async #ask(request: WorkerRequest): Promise<WorkerAnswer> {
    for (let folds = 0; folds <= FOLDS_MAX; folds++) {
      const answer = await this.#link.ask(request)
      if (answer.kind === 'failed')
        throw new PlanUnavailableError(`Automerge failed: ${answer.why}`)
      if (answer.kind !== 'missing') return answer
      await this.#fold(request.thread)
    }
    throw new PlanUnavailableError('more threads are read at once than fit in memory')
  }

  #fold(thread: string): Promise<void> {
    const running = this.#folding.get(thread)
    if (running !== undefined) return running
    const folding = this.#foldSource(thread).finally(() => this.#folding.delete(thread))
    this.#folding.set(thread, folding)
    return folding
  }

  async #foldSource(thread: string): Promise<void> {
    const changes = (await this.#init.source(thread)).map(encodeChange)
    if (this.#stopped) throw new PlanUnavailableError('the store is stopped')
    checkApplied(thread, await this.#link.ask({ kind: 'fold', thread, changes }))
    this.#stale.delete(thread)
  }
}

function checkApplied(thread: string, answer: WorkerAnswer): void {
  if (answer.kind === 'too-large') throw new PlanTooLargeError(thread, FACTS_PER_THREAD_MAX)
  if (answer.kind === 'failed') throw new PlanUnavailableError(`Automerge failed: ${answer.why}`)
  assert(answer.kind === 'applied', 'changes are answered by their application')
}
