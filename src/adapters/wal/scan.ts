import { FILE_HEADER_SIZE, RECORD_HEADER_SIZE, readRecordHeader } from './format.ts'

/** Bytes read from the disk at once. Large enough that the disk, not the call, sets the pace. */
const WINDOW_SIZE = 1024 * 1024

/** The part of an open file that reading needs. */
export type ReadableFile = {
  /** Up to `length` bytes from `position`; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>
}

/** The records between header and `size`, in order, until the first that does not hold together. Payloads are copies. */
export async function* readRecords(
  file: ReadableFile,
  salt: Uint8Array,
  size: number
): AsyncGenerator<Uint8Array, void, void> {
  const window = new Window(file, size)
  let offset = FILE_HEADER_SIZE
  while (offset < size) {
    const header = await headerAt(window, salt, offset)
    if (header === undefined) return
    const payload = await window.bytes(offset + RECORD_HEADER_SIZE, header.length)
    if (payload.length < header.length || !header.isPayload(payload)) return
    yield payload.slice()
    offset += RECORD_HEADER_SIZE + header.length
  }
}

/** Where the unbroken run of records from the front ends; `size` when the whole file is sound. */
export async function findEnd(file: ReadableFile, salt: Uint8Array, size: number): Promise<number> {
  let end = FILE_HEADER_SIZE
  for await (const payload of readRecords(file, salt, size))
    end += RECORD_HEADER_SIZE + payload.length
  return end
}

/**
 * The offset of the first complete record that starts after `offset`, or undefined. Every byte is tried, since the
 * damaged record's own length cannot be trusted.
 */
export async function findRecordAfter(
  file: ReadableFile,
  salt: Uint8Array,
  range: { readonly offset: number; readonly size: number }
): Promise<number | undefined> {
  const window = new Window(file, range.size)
  for (let at = range.offset + 1; at + RECORD_HEADER_SIZE < range.size; at++) {
    // Not awaited when the bytes are at hand: this loop runs once for each byte.
    const bytes =
      window.peek(at, RECORD_HEADER_SIZE) ?? (await window.bytes(at, RECORD_HEADER_SIZE))
    const header = readRecordHeader(bytes, salt, at)
    if (header === undefined) continue
    const payload = await window.bytes(at + RECORD_HEADER_SIZE, header.length)
    if (payload.length === header.length && header.isPayload(payload)) return at
  }
  return undefined
}

async function headerAt(
  window: Window,
  salt: Uint8Array,
  offset: number
): Promise<ReturnType<typeof readRecordHeader>> {
  const bytes = await window.bytes(offset, RECORD_HEADER_SIZE)
  return bytes.length < RECORD_HEADER_SIZE ? undefined : readRecordHeader(bytes, salt, offset)
}

/** A part of the file in memory that moves forward with its reader. */
class Window {
  readonly #file: ReadableFile
  readonly #size: number
  #start = 0
  #held: Uint8Array = new Uint8Array(0)

  constructor(file: ReadableFile, size: number) {
    this.#file = file
    this.#size = size
  }

  peek(position: number, length: number): Uint8Array | undefined {
    const at = position - this.#start
    if (at < 0 || at + length > this.#held.length) return undefined
    return this.#held.subarray(at, at + length)
  }

  /** Fewer than `length` bytes only where the file ends. */
  async bytes(position: number, length: number): Promise<Uint8Array> {
    const held = this.peek(position, length)
    if (held !== undefined) return held
    const wanted = Math.min(Math.max(length, WINDOW_SIZE), this.#size - position)
    this.#held = await this.#file.read(position, Math.max(0, wanted))
    this.#start = position
    return this.#held.subarray(0, length)
  }
}
