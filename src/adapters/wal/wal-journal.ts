import { assert } from '../../core/base/index.ts'
import type { Journal, Logger } from '../../ports/index.ts'
import {
  JournalClosedError,
  JournalCorruptError,
  JournalFailedError,
  JournalRewriteError,
  JournalVersionError
} from './errors.ts'
import { systemFiles, type WalFile, type WalFiles } from './file.ts'
import { FILE_HEADER_SIZE, FORMAT_VERSION, readFileHeader } from './format.ts'
import {
  FreshFile,
  isMarkDue,
  isRecordSize,
  sizeOf,
  syncAll,
  unfinishedPath,
  type WalState,
  writeAtEnd
} from './fresh-file.ts'
import { findAfter, findEnd, readRecords } from './scan.ts'

export type { WalFile, WalFiles } from './file.ts'

export type WalInit = {
  /** The journal's file; created with mode 0600 when there is none. */
  readonly path: string
  readonly logger: Logger
  /** The file system, unless it is another one. */
  readonly files?: WalFiles
  /** How long what was synced may stay without a mark while nothing is written, in ms. */
  readonly markAfterMs?: number
}

/** One call of `append` that waits for the disk. */
type Pending = {
  readonly records: readonly Uint8Array[]
  readonly sync: boolean
  /** It came after the records that are to replace the journal were taken: it has to follow them. */
  readonly isLater: boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Bytes of records that one write may gather. Bounds the copy in memory; more waits for the next write. */
const GROUP_BYTES_MAX = 4 * 1024 * 1024
/** How long what was synced stays without a mark while nothing is written, in ms: rarely enough that nobody pays for it, sooner than disks rot. */
const MARK_AFTER_MS = 1_000

/**
 * Opens the journal at `path`: checks every record, cuts with a warning what never reached the disk completely. Rejects with JournalCorruptError,
 * JournalVersionError or JournalFailedError; then nothing was changed.
 */
export async function walJournal(init: WalInit): Promise<Journal> {
  const files = init.files ?? systemFiles
  const file = await openFile(files, init.path)
  try {
    const state = await recover(file, await checkHeader(file, init.path), init)
    return new WalJournal(init, files, state)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openFile(files: WalFiles, path: string): Promise<WalFile> {
  try {
    // What a crash left of a file that was being made.
    await files.remove(unfinishedPath(path))
    return (await files.open(path)) ?? (await create(files, path))
  } catch (error) {
    throw new JournalFailedError(path, error)
  }
}

/** The header is complete on disk before the name exists, so that a file without one is damage and never a crash of ours. */
async function create(files: WalFiles, path: string): Promise<WalFile> {
  const fresh = await FreshFile.make(files, path)
  try {
    await fresh.sync()
    await fresh.install()
    return fresh.state.file
  } catch (error) {
    await fresh.state.file.close()
    throw error
  }
}

type Header = Pick<WalState, 'salt' | 'hasMarks'>

async function checkHeader(file: WalFile, path: string): Promise<Header> {
  const header = readFileHeader(await file.read(0, FILE_HEADER_SIZE))
  switch (header.kind) {
    case 'ok':
      return header
    case 'version':
      throw new JournalVersionError({ path, found: header.found, known: FORMAT_VERSION })
    case 'bad':
      throw new JournalCorruptError({ path, offset: 0, what: header.what })
  }
}

/** Finds the end of the sound records. What a lost power may have left behind it is cut; damage in what was on the disk is refused (R13). */
async function recover(file: WalFile, header: Header, init: WalInit): Promise<WalState> {
  const { salt, hasMarks } = header
  const { path, logger } = init
  const size = await file.size()
  const { end, marked } = await findEnd(file, salt, size)
  const state = { file, salt, hasMarks, end, marked, isSynced: true }
  if (end < size) {
    await refuseDamage(state, size, path)
    logger.warn('the end of the journal was not completely written and is cut', {
      path,
      offset: end,
      bytes: size - end
    })
    await file.truncate(end)
  }
  // A killed process leaves records that only the page cache holds. What is replayed is relied on, so it must be on disk.
  await file.sync()
  return state
}

/** Behind a bad record, a mark shows that it had been on the disk. Where nobody marks, any good record is taken for that. */
async function refuseDamage(state: WalState, size: number, path: string): Promise<void> {
  const { file, salt, hasMarks, end: offset } = state
  const next = await findAfter(file, salt, { offset, size, of: hasMarks ? 'mark' : 'record' })
  if (next === undefined) return
  const what = hasMarks
    ? `the record there fails its checksum, and all up to byte ${next} had been on the disk`
    : `the record there fails its checksum, and a good one follows at byte ${next}`
  throw new JournalCorruptError({ path, offset, what })
}

class WalJournal implements Journal {
  readonly #path: string
  readonly #files: WalFiles
  #state: WalState
  #pending: Pending[] = []
  #writer: Promise<void> | undefined
  #rewriting: Promise<void> | undefined
  /** While a rewrite is under way: copies of what was appended since it began. */
  #tail: Uint8Array[] | undefined
  /** The writer makes way, so that the files can be exchanged. */
  #isExchanging = false
  readonly #markAfterMs: number
  /** Runs from an fsync on: if nothing is written until it ends, a mark is. */
  #markTimer: NodeJS.Timeout | undefined
  #failure: JournalFailedError | undefined
  #isClosed = false

  constructor(init: WalInit, files: WalFiles, state: WalState) {
    this.#path = init.path
    this.#markAfterMs = init.markAfterMs ?? MARK_AFTER_MS
    this.#files = files
    this.#state = state
  }

  replay(): AsyncIterable<Uint8Array> {
    return readRecords(this.#state.file, this.#state.salt, this.#state.end)
  }

  append(records: readonly Uint8Array[], options: { readonly sync: boolean }): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#isClosed) return Promise.reject(new JournalClosedError(this.#path))
    assert(records.every(isRecordSize), 'a record has 1 byte to RECORD_BYTES_MAX')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const isLater = this.#tail !== undefined
    this.#pending.push({ records, sync: options.sync, isLater, resolve, reject })
    this.#writer ??= this.#write()
    return promise
  }

  rewrite(records: Iterable<Uint8Array>): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#isClosed) return Promise.reject(new JournalClosedError(this.#path))
    assert(this.#tail === undefined, 'one rewrite at a time')
    this.#tail = []
    const rewriting = this.#rewrite(records).finally(() => {
      this.#tail = undefined
    })
    this.#rewriting = rewriting.catch(() => undefined)
    return rewriting
  }

  size(): number {
    return this.#state.end
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#rewriting
    await this.#writer
    clearTimeout(this.#markTimer)
    if (this.#failure === undefined) {
      await syncAll(this.#state)
      // Without the mark everything is there as well.
      if (isMarkDue(this.#state)) await writeAtEnd(this.#state, []).catch(() => undefined)
    }
    await this.#state.file.close()
  }

  /** Writes what is pending, group by group, until nothing is: appends made during one fsync share the next. */
  async #write(): Promise<void> {
    // Lets appends of the same turn join the first group.
    await Promise.resolve()
    while (this.#pending.length > 0 && this.#failure === undefined && !this.#isExchanging) {
      const group = this.#takeGroup()
      try {
        const records = group.flatMap(item => item.records)
        await writeAtEnd(this.#state, records)
        if (group.some(item => item.sync)) await this.#sync()
      } catch (error) {
        this.#fail(error, group)
        break
      }
      for (const item of group) {
        // Copied before the caller may use its buffer again.
        if (item.isLater) for (const record of item.records) this.#tail?.push(record.slice())
        item.resolve()
      }
    }
    this.#writer = undefined
  }

  async #sync(): Promise<void> {
    await syncAll(this.#state)
    this.#markTimer ??= setTimeout(() => {
      this.#markTimer = undefined
      // Whoever writes now, or exchanges the files, marks by that.
      if (this.#writer === undefined && this.#failure === undefined && !this.#isClosed)
        this.#writer = this.#mark()
    }, this.#markAfterMs).unref()
  }

  async #mark(): Promise<void> {
    try {
      if (isMarkDue(this.#state)) await writeAtEnd(this.#state, [])
    } catch (error) {
      this.#fail(error, [])
    }
    await this.#write()
  }

  #takeGroup(): Pending[] {
    let bytes = 0
    let count = 0
    for (const item of this.#pending) {
      bytes += sizeOf(item.records)
      if (count > 0 && bytes > GROUP_BYTES_MAX) break
      count++
    }
    return this.#pending.splice(0, count)
  }

  /** The new file grows beside the old one, which goes on being written; then they are exchanged while nobody writes. */
  async #rewrite(records: Iterable<Uint8Array>): Promise<void> {
    const fresh = await this.#prepare(records)
    this.#isExchanging = true
    while (this.#writer !== undefined) await this.#writer
    this.#writer = this.#exchange(fresh)
    await this.#writer
  }

  /** Until here the old file is the journal, whatever happens to the new one. */
  async #prepare(records: Iterable<Uint8Array>): Promise<FreshFile> {
    let fresh: FreshFile | undefined
    try {
      fresh = await FreshFile.make(this.#files, this.#path)
      await fresh.write(records, () => {
        if (this.#isClosed) throw new JournalClosedError(this.#path)
      })
      await fresh.sync()
      return fresh
    } catch (error) {
      await fresh?.discard()
      throw new JournalRewriteError(this.#path, error)
    }
  }

  async #exchange(fresh: FreshFile): Promise<void> {
    try {
      await this.#complete(fresh)
      await this.#install(fresh)
    } finally {
      this.#isExchanging = false
      this.#writer = undefined
      if (this.#pending.length > 0 && this.#failure === undefined) this.#writer = this.#write()
    }
  }

  /** What was appended meanwhile, most of it written here already. Nothing in the old file is only there. */
  async #complete(fresh: FreshFile): Promise<void> {
    if (this.#failure !== undefined) {
      await fresh.discard()
      throw this.#failure
    }
    try {
      await fresh.write(this.#tail ?? [])
      await fresh.sync()
    } catch (error) {
      await fresh.discard()
      throw new JournalRewriteError(this.#path, error)
    }
  }

  /** When this fails it is not known which of the two has the name: no append may be promised in either. */
  async #install(fresh: FreshFile): Promise<void> {
    const old = this.#state.file
    try {
      await fresh.install()
    } catch (error) {
      this.#fail(error, [])
      await fresh.state.file.close().catch(() => undefined)
      throw this.#failure
    }
    this.#state = fresh.state
    // Its name is gone; whatever the close says, nothing in it is needed.
    await old.close().catch(() => undefined)
  }

  /** After a failed fsync the kernel may have dropped the pages and say "written" the next time: there is no retry. */
  #fail(error: unknown, group: readonly Pending[]): void {
    this.#failure = new JournalFailedError(this.#path, error)
    for (const item of [...group, ...this.#pending]) item.reject(this.#failure)
    this.#pending = []
  }
}
