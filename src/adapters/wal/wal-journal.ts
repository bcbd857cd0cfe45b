import { assert } from '../../core/base/index.ts'
import type { Journal, Logger } from '../../ports/index.ts'
import {
  JournalClosedError,
  JournalCorruptError,
  JournalFailedError,
  JournalVersionError
} from './errors.ts'
import { openWalFile, type WalFile } from './file.ts'
import {
  FILE_HEADER_SIZE,
  FORMAT_VERSION,
  RECORD_BYTES_MAX,
  RECORD_HEADER_SIZE,
  readFileHeader,
  writeRecord
} from './format.ts'
import { findEnd, findRecordAfter, readRecords } from './scan.ts'

export type { WalFile } from './file.ts'

export type WalInit = {
  /** The journal's file; created with mode 0600 when there is none. */
  readonly path: string
  readonly logger: Logger
  /** Opens the file; the default uses the file system. */
  readonly open?: (path: string) => Promise<WalFile>
}

/** One call of `append` that waits for the disk. */
type Pending = {
  readonly records: readonly Uint8Array[]
  readonly sync: boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Bytes of records that one write may gather. Bounds the copy in memory; more waits for the next write. */
const GROUP_BYTES_MAX = 4 * 1024 * 1024

/**
 * Opens the journal at `path`: checks every record, cuts a torn tail with a warning. Rejects with JournalCorruptError,
 * JournalVersionError or JournalFailedError; then nothing was changed.
 */
export async function walJournal(init: WalInit): Promise<Journal> {
  const file = await openFile(init)
  try {
    const salt = await checkHeader(file, init.path)
    return new WalJournal(init.path, file, { salt, end: await recover(file, salt, init) })
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openFile(init: WalInit): Promise<WalFile> {
  try {
    return await (init.open ?? openWalFile)(init.path)
  } catch (error) {
    throw new JournalFailedError(init.path, error)
  }
}

async function checkHeader(file: WalFile, path: string): Promise<Uint8Array> {
  const header = readFileHeader(await file.read(0, FILE_HEADER_SIZE))
  switch (header.kind) {
    case 'ok':
      return header.salt
    case 'version':
      throw new JournalVersionError({ path, found: header.found, known: FORMAT_VERSION })
    case 'bad':
      throw new JournalCorruptError({ path, offset: 0, what: header.what })
  }
}

/** Finds the end of the sound records. A torn tail is cut; damage before a good record is refused (R13). */
async function recover(file: WalFile, salt: Uint8Array, init: WalInit): Promise<number> {
  const { path, logger } = init
  const size = await file.size()
  const end = await findEnd(file, salt, size)
  // A killed process leaves records that only the page cache holds. What is replayed is relied on, so it must be on disk.
  if (end === size) {
    await file.sync()
    return end
  }
  const next = await findRecordAfter(file, salt, { offset: end, size })
  if (next !== undefined) {
    throw new JournalCorruptError({
      path,
      offset: end,
      what: `the record there fails its checksum, and a good one follows at byte ${next}`
    })
  }
  logger.warn('the last journal record was not completely written and is cut', {
    path,
    offset: end,
    bytes: size - end
  })
  await file.truncate(end)
  await file.sync()
  return end
}

class WalJournal implements Journal {
  readonly #path: string
  readonly #file: WalFile
  readonly #salt: Uint8Array
  /** Bytes that hold complete records; the next record goes here. */
  #end: number
  #pending: Pending[] = []
  #writer: Promise<void> | undefined
  #failure: JournalFailedError | undefined
  #isClosed = false

  constructor(
    path: string,
    file: WalFile,
    state: { readonly salt: Uint8Array; readonly end: number }
  ) {
    this.#path = path
    this.#file = file
    this.#salt = state.salt
    this.#end = state.end
  }

  replay(): AsyncIterable<Uint8Array> {
    return readRecords(this.#file, this.#salt, this.#end)
  }

  append(records: readonly Uint8Array[], options: { readonly sync: boolean }): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#isClosed) return Promise.reject(new JournalClosedError(this.#path))
    assert(records.every(isRecordSize), 'a record has 1 byte to RECORD_BYTES_MAX')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#pending.push({ records, sync: options.sync, resolve, reject })
    this.#writer ??= this.#write()
    return promise
  }

  size(): number {
    return this.#end
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#writer
    if (this.#failure === undefined) await this.#file.sync()
    await this.#file.close()
  }

  /** Writes what is pending, group by group, until nothing is: appends made during one fsync share the next. */
  async #write(): Promise<void> {
    // Lets appends of the same turn join the first group.
    await Promise.resolve()
    while (this.#pending.length > 0 && this.#failure === undefined) {
      const group = this.#takeGroup()
      try {
        const bytes = this.#layOut(group)
        await this.#file.write(bytes, this.#end)
        this.#end += bytes.length
        if (group.some(item => item.sync)) await this.#file.sync()
      } catch (error) {
        this.#fail(error, group)
        break
      }
      for (const item of group) item.resolve()
    }
    this.#writer = undefined
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

  #layOut(group: readonly Pending[]): Uint8Array {
    const bytes = new Uint8Array(group.reduce((sum, item) => sum + sizeOf(item.records), 0))
    let at = 0
    for (const item of group) {
      for (const payload of item.records) {
        at += writeRecord(bytes, at, { salt: this.#salt, offset: this.#end + at, payload })
      }
    }
    return bytes
  }

  /** After a failed fsync the kernel may have dropped the pages and say "written" the next time: there is no retry. */
  #fail(error: unknown, group: readonly Pending[]): void {
    this.#failure = new JournalFailedError(this.#path, error)
    for (const item of [...group, ...this.#pending]) item.reject(this.#failure)
    this.#pending = []
  }
}

function isRecordSize(payload: Uint8Array): boolean {
  return payload.length > 0 && payload.length <= RECORD_BYTES_MAX
}

function sizeOf(records: readonly Uint8Array[]): number {
  return records.reduce((sum, payload) => sum + RECORD_HEADER_SIZE + payload.length, 0)
}
