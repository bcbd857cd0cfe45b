import { randomBytes } from 'node:crypto'
import { assert } from '../../core/base/index.ts'
import type { WalFile, WalFiles } from './file.ts'
import {
  FILE_HEADER_SIZE,
  fileHeader,
  MARK_SIZE,
  RECORD_BYTES_MAX,
  RECORD_HEADER_SIZE,
  SALT_SIZE,
  writeMark,
  writeRecord
} from './format.ts'

/** Bytes of records laid out in memory before they are written. */
const CHUNK_BYTES_MAX = 1024 * 1024

/** An open journal file. */
export type WalState = {
  readonly file: WalFile
  readonly salt: Uint8Array
  /** False in a file of the first format, which nobody marks. */
  readonly hasMarks: boolean
  /** Where it is written next. */
  end: number
  /** Where the last mark ends. */
  marked: number
  /** Whether all before `end` is on the disk. */
  isSynced: boolean
}

/** The name under which a journal file is made: what has it is not complete. */
export function unfinishedPath(path: string): string {
  return `${path}.new`
}

/** A journal file that is being made beside the one in use. It has the journal's name only when it is complete on disk. */
export class FreshFile {
  readonly #files: WalFiles
  readonly #path: string
  readonly state: WalState

  private constructor(files: WalFiles, path: string, state: WalState) {
    this.#files = files
    this.#path = path
    this.state = state
  }

  /** Makes the file, with a header and a salt of its own. */
  static async make(files: WalFiles, path: string): Promise<FreshFile> {
    const salt = new Uint8Array(randomBytes(SALT_SIZE))
    const file = await files.create(unfinishedPath(path))
    const at = { end: FILE_HEADER_SIZE, marked: FILE_HEADER_SIZE, isSynced: false }
    const fresh = new FreshFile(files, path, { file, salt, hasMarks: true, ...at })
    try {
      await file.write(fileHeader(salt), 0)
      return fresh
    } catch (error) {
      await fresh.discard()
      throw error
    }
  }

  /** Appends records, some at a time. `check` is asked before each part and throws to end it. */
  async write(records: Iterable<Uint8Array>, check: () => void = () => undefined): Promise<void> {
    let part: Uint8Array[] = []
    let bytes = 0
    for (const record of records) {
      part.push(record)
      bytes += record.length
      if (bytes < CHUNK_BYTES_MAX) continue
      check()
      await this.#writePart(part)
      part = []
      bytes = 0
    }
    await this.#writePart(part)
  }

  /** Marks it first: only when the mark is on the disk as well does anybody read this file. */
  async sync(): Promise<void> {
    this.state.isSynced = true
    if (isMarkDue(this.state)) await writeAtEnd(this.state, [])
    await syncAll(this.state)
  }

  /** Takes the journal's name, for good. What was written must be synced. */
  async install(): Promise<void> {
    await this.#files.rename(unfinishedPath(this.#path), this.#path)
    await this.#files.syncFolder(this.#path)
  }

  /** Removes it; what fails here is removed at the next open. */
  async discard(): Promise<void> {
    await this.state.file.close().catch(() => undefined)
    await this.#files.remove(unfinishedPath(this.#path)).catch(() => undefined)
  }

  async #writePart(part: readonly Uint8Array[]): Promise<void> {
    if (part.length === 0) return
    await writeAtEnd(this.state, part)
  }
}

/** Whether a mark would say something that none says yet. */
export function isMarkDue({ hasMarks, isSynced, end, marked }: WalState): boolean {
  return hasMarks && isSynced && end > marked
}

/** Writes records to where the file ends, behind a mark if one is due. */
export async function writeAtEnd(state: WalState, records: readonly Uint8Array[]): Promise<void> {
  const { salt, end } = state
  const first = isMarkDue(state) ? MARK_SIZE : 0
  const bytes = new Uint8Array(first + sizeOf(records))
  if (first > 0) writeMark(bytes, 0, { salt, offset: end })
  let at = first
  for (const payload of records) {
    assert(isRecordSize(payload), 'a record has 1 byte to RECORD_BYTES_MAX')
    at += writeRecord(bytes, at, { salt, offset: end + at, payload })
  }
  await state.file.write(bytes, end)
  if (first > 0) state.marked = end + first
  state.end = end + bytes.length
  // A mark that is lost again takes nothing with it.
  state.isSynced = state.isSynced && records.length === 0
}

/** Resolves when all that was written is on the disk. */
export async function syncAll(state: WalState): Promise<void> {
  await state.file.sync()
  state.isSynced = true
}

/** Bytes that records take in a file. */
export function sizeOf(records: readonly Uint8Array[]): number {
  return records.reduce((sum, payload) => sum + RECORD_HEADER_SIZE + payload.length, 0)
}

export function isRecordSize(payload: Uint8Array): boolean {
  return payload.length > 0 && payload.length <= RECORD_BYTES_MAX
}
