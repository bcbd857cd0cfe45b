import type { Admitted } from '../core/envelope/index.ts'
import type { PlanChange, PlanEntry, PlanState } from '../core/plan/index.ts'
import type { BidSubject, CommitSubject } from '../core/policy/index.ts'
import type { CertificateFile } from '../core/roster/index.ts'
import {
  Revival,
  type Stage,
  type Swarm,
  type ThreadSummary,
  type ThreadView
} from '../core/swarm/index.ts'
import type { Archive } from '../ports/index.ts'
import { archivedParts, decodeSummary } from '../runtime/index.ts'
import { ArchivedThreadError, CheckpointOnlyError, ThreadNotFoundError } from './errors.ts'

/** Archived threads that are kept at hand: a reader asks for view, plan and record of the same one. */
const REVIVED_MAX = 8

export type ThreadsInit = {
  readonly did: string
  readonly swarm: Swarm
  readonly archive: Archive
}

/** All threads of a node to read, wherever they are: in memory, or archived. */
export class Threads {
  readonly #init: ThreadsInit
  /** Least recently used first. */
  readonly #revived = new Map<string, Swarm>()

  constructor(init: ThreadsInit) {
    this.#init = init
  }

  /** Rejects with ThreadNotFoundError or ArchivedThreadError. */
  async view(thread: string): Promise<ThreadView> {
    const view = (await this.holder(thread)).view(thread)
    if (view === undefined) throw new ThreadNotFoundError(thread)
    return view
  }

  async record(thread: string): Promise<NonNullable<ReturnType<Swarm['record']>>> {
    const record = (await this.holder(thread)).record(thread)
    if (record === undefined) throw new ThreadNotFoundError(thread)
    return record
  }

  async envelope(thread: string, id: string): Promise<Admitted | undefined> {
    return (await this.holder(thread)).envelope(thread, id)
  }

  async bidSubject(thread: string, proposal: string): Promise<BidSubject | undefined> {
    return (await this.holder(thread)).bidSubject(thread, proposal)
  }

  async commitSubject(thread: string, commit: string): Promise<CommitSubject | undefined> {
    return (await this.holder(thread)).commitSubject(thread, commit)
  }

  async certificate(thread: string, stage: Stage): Promise<CertificateFile | undefined> {
    return (await this.holder(thread)).certificate(thread, stage)
  }

  /** Nothing for a thread that is not here. */
  async planChanges(thread: string): Promise<readonly PlanChange[]> {
    try {
      return (await this.holder(thread)).planChanges(thread)
    } catch (error) {
      if (error instanceof ThreadNotFoundError || error instanceof CheckpointOnlyError) return []
      throw error
    }
  }

  /** The plan of a thread, to read at once. Rejects with ThreadNotFoundError. */
  async plan(thread: string): Promise<PlanState> {
    const plan = (await this.holder(thread)).plan(thread)
    if (plan === undefined) throw new ThreadNotFoundError(thread)
    return plan
  }

  /** What the plan document of a thread is made of; nothing for a thread that is not here. */
  async planEntries(thread: string): Promise<Iterable<PlanEntry>> {
    try {
      return (await this.holder(thread)).planEntries(thread)
    } catch (error) {
      if (error instanceof ThreadNotFoundError || error instanceof CheckpointOnlyError) return []
      throw error
    }
  }

  /** The newest first, from just before a thread on. Rejects with ThreadNotFoundError when that is not here. */
  async list(options: {
    readonly limit: number
    readonly before?: string | undefined
    readonly open?: boolean | undefined
  }): Promise<ThreadSummary[]> {
    const { swarm, archive } = this.#init
    const { limit } = options
    const before = options.before === undefined ? undefined : await this.#placeOf(options.before)
    const here = new Set(swarm.threadIds())
    const live = [...here]
      .filter(id => options.open !== true || !swarm.isEnded(id))
      .flatMap(id => swarm.view(id) ?? [])
      .map(summaryOf)
    // What is being archived is in both: enough is read to leave those out.
    const kept =
      options.open === true
        ? []
        : await archive.list({ limit: limit + here.size, ...(before && { before }) })
    const archived = kept
      .filter(({ thread }) => !here.has(thread))
      .map(({ thread, summary }) => {
        const decoded = decodeSummary(summary)
        if (!decoded.ok) throw new ArchivedThreadError(thread, decoded.refusal.message)
        return decoded.value
      })
    return [...live, ...archived]
      .filter(summary => before === undefined || compare(summary, before) < 0)
      .sort((a, b) => compare(b, a))
      .slice(0, limit)
  }

  /** Threads that go on, and those that are over, archived or not yet. */
  counts(): { readonly open: number; readonly ended: number } {
    const { swarm, archive } = this.#init
    let open = 0
    let ended = 0
    for (const id of swarm.threadIds()) {
      if (swarm.isEnded(id)) ended++
      else open++
    }
    return { open, ended: ended + archive.count() }
  }

  /** The machine that has a thread: the node's own, or one that the archive's records were read back into. Rejects as `view` does. */
  async holder(thread: string): Promise<Swarm> {
    const { swarm, archive, did } = this.#init
    if (swarm.has(thread)) return swarm
    const known = this.#revived.get(thread)
    this.#revived.delete(thread)
    const holder = known ?? (await revive(thread, await archive.get(thread), did))
    this.#revived.set(thread, holder)
    const [oldest] = this.#revived.keys()
    if (this.#revived.size > REVIVED_MAX && oldest !== undefined) this.#revived.delete(oldest)
    return holder
  }

  /** Where in the list a thread stands, also when nothing but its line is here. */
  async #placeOf(thread: string): Promise<Place> {
    const view = this.#init.swarm.view(thread)
    const place = view ?? (await this.#init.archive.line(thread))
    if (place === undefined) throw new ThreadNotFoundError(thread)
    return { thread, openedAt: place.openedAt }
  }
}

/** In parts: a large thread must not hold up the node. */
async function revive(
  thread: string,
  entry: Awaited<ReturnType<Archive['get']>>,
  did: string
): Promise<Swarm> {
  if (entry === undefined) throw new ThreadNotFoundError(thread)
  if (entry.records.length === 0) {
    const summary = decodeSummary(entry.summary)
    if (!summary.ok) throw new ArchivedThreadError(thread, summary.refusal.message)
    throw new CheckpointOnlyError(summary.value)
  }
  const revival = new Revival(did)
  for (const part of archivedParts(entry)) {
    for (const record of part) {
      if (!record.ok) throw new ArchivedThreadError(thread, record.refusal.message)
      revival.take(record.value)
    }
    await new Promise(setImmediate)
  }
  return revival.finish()
}

function summaryOf(view: ThreadView): ThreadSummary {
  const { thread, slot, task, phase, reason, requester, expiresAt, openedAt } = view
  return { thread, slot, task, phase, reason, requester, expiresAt, openedAt, void: view.void }
}

type Place = Pick<ThreadSummary, 'openedAt' | 'thread'>

/** The order of lists: by when the NEED was first seen, then by id. */
function compare(a: Place, b: Place): number {
  if (a.openedAt !== b.openedAt) return a.openedAt - b.openedAt
  return a.thread < b.thread ? -1 : a.thread > b.thread ? 1 : 0
}
