import { assert } from '../../core/base/index.ts'
import type { HeardPlan, Logger, PlanEntry, PlanStore, SaidPlan } from '../../ports/index.ts'
import { PlanUnavailableError } from './errors.ts'
import {
  DOCUMENTS_MAX,
  FOLD_SLICE_BYTES,
  FOLD_SLICE_ENTRIES,
  GATHER_MS,
  GATHERED_MAX
} from './limits.ts'
import type { WorkerAnswer, WorkerRequest } from './protocol.ts'
import { WorkerLink } from './worker-link.ts'

export type AutomergePlanStoreInit = {
  /** The bundled `worker.js` of this room. */
  readonly workerUrl: URL
  /**
   * Every planned envelope of a thread that this node has admitted so far, in any order, those included that `apply` brings. Asked when a thread is
   * touched whose document is not in memory: at first use, after it was freed, after the worker ended. Read bit by bit, while others have their turn.
   */
  readonly source: (thread: string) => Iterable<PlanEntry> | Promise<Iterable<PlanEntry>>
  readonly logger: Logger
  /** Documents in memory at once; the default suits a laptop. */
  readonly documentsMax?: number
}

/**
 * The plan store over Automerge in one worker thread, which starts when the first document is asked for. Until then a thread has none: most are never
 * looked at. From then on `apply` gathers changes for a moment; `view` and `save` see all that were applied before them.
 */
export function automergePlanStore(init: AutomergePlanStoreInit): PlanStore {
  return new AutomergePlanStore(init)
}

type Gathered = {
  readonly entries: PlanEntry[]
  readonly done: Promise<void>
  readonly flush: () => void
}

/** Times that a document is folded for one question before giving up: it was freed again at once each time. */
const FOLDS_MAX = 3

class AutomergePlanStore implements PlanStore {
  readonly #init: AutomergePlanStoreInit
  readonly #link: WorkerLink
  readonly #gathered = new Map<string, Gathered>()
  readonly #folding = new Map<string, Promise<number>>()
  /** Threads whose document was asked for. */
  readonly #asked = new Set<string>()
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

  apply(thread: string, entry: PlanEntry): Promise<void> {
    if (this.#stopped) return Promise.reject(new PlanUnavailableError('the store is stopped'))
    // The source has it too.
    if (!this.#asked.has(thread)) return Promise.resolve()
    const gathered = this.#gathered.get(thread) ?? this.#gather(thread)
    gathered.entries.push(entry)
    if (gathered.entries.length >= GATHERED_MAX) gathered.flush()
    return gathered.done
  }

  async view(thread: string): Promise<{ heads: readonly string[]; envelopes: readonly string[] }> {
    await this.#settle(thread)
    const answer = await this.#ask({ kind: 'view', thread })
    assert(answer.kind === 'viewed', 'a view is answered by one')
    return { heads: answer.heads, envelopes: answer.envelopes }
  }

  async drop(thread: string): Promise<void> {
    if (this.#stopped) return
    this.#asked.delete(thread)
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

  async hear(thread: string, peer: string, message: Uint8Array): Promise<HeardPlan> {
    const cost = { folded: 0 }
    await this.#settle(thread)
    const answer = await this.#ask({ kind: 'hear', thread, peer, message }, cost)
    assert(answer.kind === 'heard', 'what is heard is answered by what it was')
    const { lie, envelopes, forks, compared } = answer
    return { lie, envelopes, forks, compared, folded: cost.folded }
  }

  async judged(thread: string, peer: string): Promise<void> {
    await this.#settle(thread)
    // A worker that is started later has heard nothing.
    if (this.#link.isRunning()) await this.#link.ask({ kind: 'judged', thread, peer })
  }

  async say(thread: string, peer: string): Promise<SaidPlan> {
    await this.#settle(thread)
    const answer = await this.#ask({ kind: 'say', thread, peer })
    assert(answer.kind === 'said', 'a question for a message is answered by one')
    return { message: answer.message, more: answer.more }
  }

  async reopen(peer: string): Promise<void> {
    // A worker that is started later begins anew with every peer.
    if (!this.#stopped && this.#link.isRunning())
      await this.#link.ask({ kind: 'reopen', thread: null, peer })
  }

  async forget(peer: string): Promise<void> {
    if (!this.#stopped && this.#link.isRunning())
      await this.#link.ask({ kind: 'forget', thread: null, peer })
  }

  #gather(thread: string): Gathered {
    const entries: PlanEntry[] = []
    let flush = (): void => undefined
    const done = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => flush(), GATHER_MS)
      flush = () => {
        clearTimeout(timer)
        if (this.#gathered.get(thread)?.entries !== entries) return
        this.#gathered.delete(thread)
        if (this.#stopped) resolve()
        else this.#apply(thread, entries).then(resolve, reject)
      }
    })
    const gathered = { entries, done, flush: () => flush() }
    this.#gathered.set(thread, gathered)
    return gathered
  }

  async #apply(thread: string, entries: readonly PlanEntry[]): Promise<void> {
    try {
      const answer = await this.#ask({ kind: 'apply', thread, entries })
      assert(answer.kind === 'applied', 'envelopes are answered by their application')
    } catch (error) {
      // The document may lack these changes now; the source has them.
      if (error instanceof PlanUnavailableError) this.#stale.add(thread)
      throw error
    }
  }

  /** Waits until everything applied so far is in the document. */
  async #settle(thread: string): Promise<void> {
    if (this.#stopped) throw new PlanUnavailableError('the store is stopped')
    this.#asked.add(thread)
    const gathered = this.#gathered.get(thread)
    gathered?.flush()
    // Whoever applied hears of a failure; the reader gets what is there.
    await gathered?.done.catch(() => undefined)
    if (this.#stale.has(thread)) await this.#fold(thread)
  }

  /** Asks the worker, which may have to be given the whole thread first: `cost` learns how many envelopes that were. */
  async #ask(
    request: WorkerRequest & { readonly thread: string },
    cost = { folded: 0 }
  ): Promise<WorkerAnswer> {
    for (let folds = 0; folds <= FOLDS_MAX; folds++) {
      const answer = await this.#link.ask(request)
      if (answer.kind === 'failed')
        throw new PlanUnavailableError(`Automerge failed: ${answer.why}`)
      if (answer.kind !== 'missing') return answer
      cost.folded += await this.#fold(request.thread)
    }
    throw new PlanUnavailableError('more threads are read at once than fit in memory')
  }

  /** Resolves with the number of envelopes. */
  #fold(thread: string): Promise<number> {
    const running = this.#folding.get(thread)
    if (running !== undefined) return running
    // What fails to come into the document from now on is not in it.
    this.#stale.delete(thread)
    const folding = this.#foldSource(thread)
      .catch(error => this.#unfolded(thread, error))
      .finally(() => this.#folding.delete(thread))
    this.#folding.set(thread, folding)
    return folding
  }

  /** Lets go of the part of a document that is there. */
  #unfolded(thread: string, error: unknown): never {
    this.#stale.add(thread)
    this.drop(thread).catch(() => undefined)
    throw error
  }

  async #foldSource(thread: string): Promise<number> {
    const source = await this.#init.source(thread)
    let folded = 0
    for (const { entries, isLast } of slicesOf(source)) {
      if (this.#stopped) throw new PlanUnavailableError('the store is stopped')
      const request = { kind: 'fold', thread, entries, isFirst: folded === 0, isLast } as const
      const answer = await this.#link.ask(request)
      if (answer.kind === 'missing')
        throw new PlanUnavailableError('the document was let go of before it was whole')
      if (answer.kind === 'failed')
        throw new PlanUnavailableError(`Automerge failed: ${answer.why}`)
      assert(answer.kind === 'applied', 'envelopes of a thread are answered by their application')
      folded += entries.length
    }
    return folded
  }
}

type Slice = { readonly entries: readonly PlanEntry[]; readonly isLast: boolean }

/** All entries, in parts; one at least. */
function* slicesOf(all: Iterable<PlanEntry>): Iterable<Slice> {
  let entries: PlanEntry[] = []
  let bytes = 0
  for (const entry of all) {
    if (entries.length >= FOLD_SLICE_ENTRIES || bytes >= FOLD_SLICE_BYTES) {
      yield { entries, isLast: false }
      entries = []
      bytes = 0
    }
    entries.push(entry)
    bytes += entry.bytes.length
  }
  yield { entries, isLast: true }
}
