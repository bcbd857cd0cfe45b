import { randomBytes } from 'node:crypto'
import { assert } from '../../core/base/index.ts'
import type { WalFile, WalFiles } from './file.ts'
import {
  FILE_HEADER_SIZE,
  fileHeader,
  RECORD_BYTES_MAX,
  RECORD_HEADER_SIZE,
  SALT_SIZE,
  writeRecord
} from './format.ts'

/** Bytes of records laid out in memory before they are written. */
const CHUNK_BYTES_MAX = 1024 * 1024

/** An open journal file: where it is written next. */
export type WalState = { readonly file: WalFile; readonly salt: Uint8Array; end: number }

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
    const fresh = new FreshFile(files, path, { file, salt, end: FILE_HEADER_SIZE })
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

  sync(): Promise<void> {
    return this.state.file.sync()
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
    const bytes = layOut(part, this.state)
    await this.state.file.write(bytes, this.state.end)
    this.state.end += bytes.length
  }
}

/** Records as the bytes that follow the end of a file. */
export function layOut(
  records: readonly Uint8Array[],
  { salt, end }: Pick<WalState, 'salt' | 'end'>
): Uint8Array {
  const bytes = new Uint8Array(sizeOf(records))
  let at = 0
  for (const payload of records) {
    assert(isRecordSize(payload), 'a record has 1 byte to RECORD_BYTES_MAX')
    at += writeRecord(bytes, at, { salt, offset: end + at, payload })
  }
  return bytes
}

/** Bytes that records take in a file. */
export function sizeOf(records: readonly Uint8Array[]): number {
  return records.reduce((sum, payload) => sum + RECORD_HEADER_SIZE + payload.length, 0)
}

export function isRecordSize(payload: Uint8Array): boolean {
  return payload.length > 0 && payload.length <= RECORD_BYTES_MAX
}
