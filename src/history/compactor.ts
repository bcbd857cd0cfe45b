import { equals } from '../core/base/index.ts'
import type { Leaf } from '../core/history/index.ts'
import type { Archive, ArchiveEntry, Clock, KeyValues } from '../ports/index.ts'
import type { LogFiles } from './cold-files.ts'
import type { ColdStore, Segment } from './cold-store.ts'
import type { ColdThread } from './cold-thread.ts'
import type { OwnLog } from './own-log.ts'

export type CompactorInit = {
  readonly store: KeyValues
  readonly own: OwnLog
  /** The archive without what is cold. */
  readonly hot: Archive
  readonly cold: ColdStore
  readonly logs: LogFiles
  readonly clock: Clock
  /** Time after the end of a thread for which it stays at hand, in ms. */
  readonly retentionMs: number
  /** Whether the machine still has the thread in memory: peers may still ask, challenge or pull. */
  readonly isLive: (thread: string) => boolean
  /** What is asked of a thread that has no leaf: it ended without a certificate. */
  readonly uncertified: (entry: ArchiveEntry) => Uncertified
}

/** A thread that ended without a certificate, so that no checkpoint will ever cover it. */
export type Uncertified = {
  /** When it was over at the latest, ms since 1970. */
  readonly endedAt: number
  /** It never had a group, proves nothing, and this node only watched it: nobody misses it. */
  readonly isIdle: boolean
}

/** What a run moved, or would move. */
export type Compaction = {
  readonly threads: number
  /** Bytes of their records and logs. */
  readonly hotBytes: number
  /** Bytes of the new cold files; 0 in a dry run. */
  readonly coldBytes: number
  readonly files: readonly string[]
  /** Threads that were forgotten: they ended without a group, and this node only watched them. */
  readonly dropped: number
  readonly droppedBytes: number
  /** Why the others stayed: their time has not come; no stable checkpoint covers them; they are in memory. */
  readonly stays: { readonly young: number; readonly unwitnessed: number; readonly live: number }
}

/** Leaves below it are done with: a run begins there. */
const NEXT = 'cold/next'
/** Bytes of records and logs that one cold file gathers: they are in memory until it is written. */
const SEGMENT_BYTES: number = 16 * 1024 * 1024
/** Threads of one cold file: what its first block names. */
const SEGMENT_THREADS_MAX = 4_096

/** Lines of the archive that are read at once. */
const PAGE = 256

/**
 * Moves threads that ended long enough ago, and that a stable checkpoint covers, from the archive to cold files. Those that no checkpoint will ever
 * cover, for want of a certificate, go there too, or are forgotten where there is nothing in them. It has no hand on anything else:
 * leaves, tombstones, promises, locks and replay windows are neither in the archive nor in the audit folder (R20).
 *
 * In order, each step on disk before the next: the cold file; its place in the index; the records leave the archive, whose line stays; the logs leave the audit
 * folder. Of a thread that is forgotten the logs go first, since it is the archive that they are found by. After a crash the next run finishes what it finds.
 */
export class Compactor {
  readonly #init: CompactorInit
  #work: Promise<unknown> = Promise.resolve()

  constructor(init: CompactorInit) {
    this.#init = init
  }

  /** One run at a time. Rejects with what the disk says; what was moved is moved. */
  run({ dryRun = false }: { readonly dryRun?: boolean } = {}): Promise<Compaction> {
    const ran = this.#work.then(() => this.#run(dryRun))
    this.#work = ran.catch(() => undefined)
    return ran
  }

  async #run(dryRun: boolean): Promise<Compaction> {
    const { own, clock, retentionMs, store } = this.#init
    const before = clock.nowMs() - retentionMs
    const stays = { young: 0, unwitnessed: own.size - own.stableSize, live: 0 }
    const done = new Moved(this.#init, dryRun)
    let next: number | null = null
    for await (const { index, leaf } of own.entries(await this.#next(), own.stableSize)) {
      const reason = this.#stays(idOf(leaf), leaf.stamp, before)
      if (reason === null) await done.take(idOf(leaf))
      else {
        stays[reason]++
        next ??= index
      }
    }
    for await (const entry of this.#withoutLeaf()) {
      const { endedAt, isIdle } = this.#init.uncertified(entry)
      const reason = this.#stays(entry.thread, endedAt, before)
      if (entry.records.length > 0 && reason !== null) stays[reason]++
      else if (entry.records.length > 0 && isIdle) await done.drop(entry)
      else await done.take(entry.thread)
    }
    await done.flush()
    if (!dryRun) {
      const value = new TextEncoder().encode(String(next ?? own.stableSize))
      await store.write([{ type: 'put', key: NEXT, value }])
    }
    return { ...done.result(), stays }
  }

  #stays(thread: string, endedAt: number, before: number): 'young' | 'live' | null {
    if (endedAt > before) return 'young'
    return this.#init.isLive(thread) ? 'live' : null
  }

  /** Archived threads that are in no log of ends. */
  async *#withoutLeaf(): AsyncGenerator<ArchiveEntry> {
    const { hot, own } = this.#init
    let page = await hot.list({ limit: PAGE })
    while (page.length > 0) {
      for (const { thread } of page) {
        const entry = (await own.indexOf(thread)) === null ? await hot.get(thread) : undefined
        if (entry !== undefined) yield entry
      }
      const last = page.at(-1)
      page = last === undefined ? [] : await hot.list({ limit: PAGE, before: last })
    }
  }

  async #next(): Promise<number> {
    const kept = await this.#init.store.get(NEXT)
    return kept === undefined ? 0 : Number(new TextDecoder().decode(kept))
  }
}

/** Threads on their way, a file of them at a time. */
class Moved {
  readonly #init: CompactorInit
  readonly #dryRun: boolean
  #waiting: ColdThread[] = []
  #bytes = 0
  #threads = 0
  #hotBytes = 0
  /** Threads to be forgotten, and how many there were in all. */
  #idle: string[] = []
  #dropped = 0
  #droppedBytes = 0
  readonly #files: Segment[] = []

  constructor(init: CompactorInit, dryRun: boolean) {
    this.#init = init
    this.#dryRun = dryRun
  }

  async take(thread: string): Promise<void> {
    const entry = await this.#init.hot.get(thread)
    const logs = await this.#init.logs.read(thread)
    if (entry === undefined) return
    if (entry.records.length === 0) {
      // Moved before: a crash came before its logs were gone.
      if (logs.length > 0 && !this.#dryRun && (await this.#isCold({ ...entry, logs })))
        await this.#init.logs.remove(thread)
      return
    }
    const size = bytesOf(entry.records) + bytesOf(logs.map(({ bytes }) => bytes))
    this.#threads++
    this.#hotBytes += size
    if (this.#dryRun) return
    this.#waiting.push({ ...entry, logs })
    this.#bytes += size
    if (this.#bytes >= SEGMENT_BYTES || this.#waiting.length >= SEGMENT_THREADS_MAX)
      await this.#move()
  }

  async drop(entry: ArchiveEntry): Promise<void> {
    const logs = await this.#init.logs.read(entry.thread)
    this.#dropped++
    this.#droppedBytes += bytesOf(entry.records) + bytesOf(logs.map(({ bytes }) => bytes))
    if (this.#dryRun) return
    this.#idle.push(entry.thread)
    if (this.#idle.length >= PAGE) await this.#forget()
  }

  async flush(): Promise<void> {
    await this.#forget()
    await this.#move()
  }

  async #forget(): Promise<void> {
    const { hot, logs } = this.#init
    const idle = this.#idle
    this.#idle = []
    if (idle.length === 0) return
    for (const thread of idle) await logs.remove(thread)
    await hot.drop(idle)
  }

  async #move(): Promise<void> {
    const { cold, hot, logs } = this.#init
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    if (waiting.length === 0) return
    const fresh: ColdThread[] = []
    for (const thread of waiting) if (!(await this.#isCold(thread))) fresh.push(thread)
    if (fresh.length > 0) this.#files.push(await cold.add(fresh))
    await hot.put(waiting.map(lineOf))
    for (const { thread } of waiting) await logs.remove(thread)
  }

  result(): Omit<Compaction, 'stays'> {
    return {
      dropped: this.#dropped,
      droppedBytes: this.#droppedBytes,
      threads: this.#threads,
      hotBytes: this.#hotBytes,
      coldBytes: this.#files.reduce((sum, { bytes }) => sum + bytes, 0),
      files: this.#files.map(({ name }) => name)
    }
  }

  /** Whether all of a thread that is here lies in a cold file: a run that was cut has put it there. */
  async #isCold(thread: ColdThread): Promise<boolean> {
    // Whatever is wrong with a file that has it, another is written.
    const kept = await this.#init.cold.get(thread.thread).catch(() => undefined)
    if (kept === undefined) return false
    const { records, logs } = thread
    const hasLogs = logs.every(({ name, bytes }) =>
      kept.logs.some(one => one.name === name && equals(one.bytes, bytes))
    )
    const hasRecords =
      records.length === 0 ||
      (records.length === kept.records.length &&
        records.every((record, at) => equals(record, kept.records[at] as Uint8Array)))
    return hasLogs && hasRecords
  }
}

function lineOf({ thread, openedAt, summary }: ArchiveEntry): ArchiveEntry {
  return { thread, openedAt, summary, records: [] }
}

function idOf(leaf: Leaf): string {
  return leaf.need.toString()
}

function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
