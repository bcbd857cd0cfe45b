import { mkdir } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { utf8 } from '../../core/base/index.ts'
import type { Archive, ArchiveEntry, ArchiveListing, ArchivePlace } from '../../ports/index.ts'
import { ArchiveUnavailableError } from './errors.ts'

/**
 * Keys, in one key space:
 *
 *     l/<openedAt, 14 decimal digits>/<thread>      summary: the order of lists
 *     p/<thread>                                    openedAt as decimal text: where its line is
 *     r/<thread>/<number, 6 decimal digits>         one record
 *
 * A thread's keys are written in one synced batch, so it is there completely or not at all.
 */
type Database = ClassicLevel<string, Uint8Array>
type Put = { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
type Operation = Put | { readonly type: 'del'; readonly key: string }

/** Bytes of records that one write batch gathers before it is written: LevelDB holds a batch in memory. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024
/** Follows every key that begins with the same letter and slash. */
const END = '~'

/** Opens, or makes, the archive in a folder. Rejects with ArchiveUnavailableError. */
export async function levelArchive(init: { readonly path: string }): Promise<Archive> {
  const database: Database = new ClassicLevel(init.path, {
    keyEncoding: 'utf8',
    valueEncoding: 'view'
  })
  try {
    await mkdir(init.path, { recursive: true, mode: 0o700 })
    await database.open()
    let count = 0
    for await (const _ of database.keys({ gte: 'l/', lt: `l/${END}` })) count++
    return new LevelArchive(database, count)
  } catch (error) {
    throw new ArchiveUnavailableError(init.path, error)
  }
}

class LevelArchive implements Archive {
  readonly #database: Database
  #count: number
  /** Writes follow each other, so that what is replaced is known. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(database: Database, count: number) {
    this.#database = database
    this.#count = count
  }

  put(entries: readonly ArchiveEntry[]): Promise<void> {
    const written = this.#writing.then(() => this.#put(entries))
    this.#writing = written.catch(() => undefined)
    return written
  }

  async get(thread: string): Promise<ArchiveEntry | undefined> {
    const line = await this.line(thread)
    if (line === undefined) return undefined
    const records = await this.#database
      .values({ gte: `r/${thread}/`, lt: `r/${thread}/${END}` })
      .all()
    return { ...line, records }
  }

  async line(thread: string): Promise<ArchiveListing | undefined> {
    const openedAt = await this.#openedAt(thread)
    if (openedAt === undefined) return undefined
    const summary = await this.#database.get(listKey({ thread, openedAt }))
    return summary === undefined ? undefined : { thread, openedAt, summary }
  }

  drop(threads: readonly string[]): Promise<void> {
    const dropped = this.#writing.then(() => this.#drop(threads))
    this.#writing = dropped.catch(() => undefined)
    return dropped
  }

  async list({
    limit,
    before
  }: {
    readonly limit: number
    readonly before?: ArchivePlace
  }): Promise<readonly ArchiveListing[]> {
    const lt = before === undefined ? `l/${END}` : listKey(before)
    const lines = await this.#database.iterator({ gte: 'l/', lt, reverse: true, limit }).all()
    return lines.map(([key, summary]) => ({ ...placeOf(key), summary }))
  }

  count(): number {
    return this.#count
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#database.close()
  }

  async #put(entries: readonly ArchiveEntry[]): Promise<void> {
    let operations: Operation[] = []
    let bytes = 0
    let added = new Set<string>()
    const flush = async (): Promise<void> => {
      await this.#database.batch(operations, { sync: true })
      this.#count += added.size
      operations = []
      bytes = 0
      added = new Set()
    }
    for (const entry of entries) {
      if ((await this.#openedAt(entry.thread)) === undefined) added.add(entry.thread)
      else operations.push(...(await this.#removal(entry.thread)))
      operations.push(...puts(entry))
      for (const record of entry.records) bytes += record.length
      if (bytes > BATCH_BYTES_MAX) await flush()
    }
    if (operations.length > 0) await flush()
  }

  async #drop(threads: readonly string[]): Promise<void> {
    const operations: Operation[] = []
    let count = 0
    for (const thread of new Set(threads)) {
      const openedAt = await this.#openedAt(thread)
      if (openedAt === undefined) continue
      count++
      for (const key of [`p/${thread}`, listKey({ thread, openedAt })])
        operations.push({ type: 'del', key })
      operations.push(...(await this.#removal(thread)))
    }
    await this.#database.batch(operations, { sync: true })
    this.#count -= count
  }

  async #openedAt(thread: string): Promise<number | undefined> {
    const value = await this.#database.get(`p/${thread}`)
    return value === undefined ? undefined : Number(new TextDecoder().decode(value))
  }

  /** The records that are there: the new ones may be fewer. */
  async #removal(thread: string): Promise<Operation[]> {
    const keys = await this.#database.keys({ gte: `r/${thread}/`, lt: `r/${thread}/${END}` }).all()
    return keys.map(key => ({ type: 'del', key }))
  }
}

function puts(entry: ArchiveEntry): Put[] {
  const { thread, openedAt, summary, records } = entry
  return [
    { type: 'put', key: `p/${thread}`, value: utf8(String(openedAt)) },
    { type: 'put', key: listKey(entry), value: summary },
    ...records.map(
      (value, index): Put => ({
        type: 'put',
        key: `r/${thread}/${String(index).padStart(6, '0')}`,
        value
      })
    )
  ]
}

function listKey({ thread, openedAt }: ArchivePlace): string {
  return `l/${String(openedAt).padStart(14, '0')}/${thread}`
}

function placeOf(key: string): ArchivePlace {
  const [, openedAt = '', thread = ''] = key.split('/')
  return { openedAt: Number(openedAt), thread }
}
