import { assert, SwarmError } from '../../core/base/index.ts'
import type { Journal } from '../../ports/index.ts'

/** The memory journal was told to fail, or belongs to a life that a crash ended. Same code as on disk. */
export class MemoryJournalFailedError extends SwarmError {
  readonly code = 'JOURNAL_FAILED'
}

/** The memory journal was closed. Same code as on disk. */
export class MemoryJournalClosedError extends SwarmError {
  readonly code = 'JOURNAL_CLOSED'
}

/** How much of the unsynced tail a crash leaves. */
export type CrashOptions = {
  /** Unsynced records that reached the disk all the same, from the first; none unless said. */
  readonly kept?: number
  /** The record after the kept ones was half written: the next open cuts it. Changes nothing but `cuts`. */
  readonly torn?: boolean
}

/** What survives a crash of `memoryJournal`: the disk of a virtual node. */
export class MemoryDisk {
  /** Calls of fsync so far: what grouping saves can be counted. */
  syncs = 0
  /** Records that were cut at an open because they were torn. */
  cuts = 0
  #records: Uint8Array[] = []
  #synced = 0
  #isTorn = false
  #failure: string | null = null
  /** Grows with each crash or open; a journal of an earlier life is dead. */
  #life = 0

  /** Records in the order of writing, synced or not. */
  get records(): readonly Uint8Array[] {
    return this.#records
  }

  /** From now on every append rejects with this reason. */
  fail(reason: string): void {
    this.#failure = reason
  }

  /** Power is lost: what was not synced goes, but for what `options` keep. Journals that are open now are dead. */
  crash(options: CrashOptions = {}): void {
    const kept = this.#synced + (options.kept ?? 0)
    assert(kept <= this.#records.length, 'a crash keeps no more than was written')
    this.#isTorn = options.torn === true && kept < this.#records.length
    this.#records.length = kept
    this.#failure = null
    this.#life++
  }

  /** Starts a life: cuts a torn record and takes what is there as synced, as an open does. */
  open(): number {
    if (this.#isTorn) this.cuts++
    this.#isTorn = false
    this.#synced = this.#records.length
    return ++this.#life
  }

  /** Other records take the place of all, at once and for good. */
  replace(life: number, records: Iterable<Uint8Array>): void {
    this.#check(life)
    this.#records = Array.from(records, record => record.slice())
    this.#synced = this.#records.length
  }

  write(life: number, records: readonly Uint8Array[], sync: boolean): void {
    this.#check(life)
    for (const record of records) this.#records.push(record.slice())
    if (!sync) return
    this.syncs++
    this.#synced = this.#records.length
  }

  #check(life: number): void {
    if (life !== this.#life)
      throw new MemoryJournalFailedError('this journal belongs to a life that ended: open it again')
    if (this.#failure !== null)
      throw new MemoryJournalFailedError(`the memory journal cannot be written: ${this.#failure}`)
  }
}

/** A journal in memory, for tests and virtual nodes. A second one on the same disk ends the first. */
export function memoryJournal(disk: MemoryDisk = new MemoryDisk()): Journal {
  return new MemoryJournal(disk)
}

class MemoryJournal implements Journal {
  readonly #disk: MemoryDisk
  readonly #life: number
  #isClosed = false
  #failure: Error | undefined

  constructor(disk: MemoryDisk) {
    this.#disk = disk
    this.#life = disk.open()
  }

  async *replay(): AsyncIterable<Uint8Array> {
    yield* this.#disk.records.map(record => record.slice())
  }

  async append(records: readonly Uint8Array[], options: { readonly sync: boolean }): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isClosed)
      throw new MemoryJournalClosedError('the memory journal is closed: open it again to write')
    try {
      this.#disk.write(this.#life, records, options.sync)
    } catch (error) {
      this.#failure = error as Error
      throw error
    }
  }

  async rewrite(records: Iterable<Uint8Array>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isClosed)
      throw new MemoryJournalClosedError('the memory journal is closed: open it again to write')
    this.#disk.replace(this.#life, records)
  }

  size(): number {
    return this.#disk.records.reduce((sum, record) => sum + record.length, 0)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }
}
