import {
  FILE_HEADER_SIZE,
  isMark,
  MARK_SIZE,
  RECORD_HEADER_SIZE,
  readRecordHeader
} from './format.ts'

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
    const found = await itemAt(window, salt, offset)
    if (found === undefined) return
    if (found.payload !== null) yield found.payload.slice()
    offset = found.next
  }
}

/** Where the unbroken run of records and marks from the front ends (`size` when the whole file is sound), and the last mark in it. */
export async function findEnd(
  file: ReadableFile,
  salt: Uint8Array,
  size: number
): Promise<{ readonly end: number; readonly marked: number }> {
  const window = new Window(file, size)
  let end = FILE_HEADER_SIZE
  let marked = end
  while (end < size) {
    const found = await itemAt(window, salt, end)
    if (found === undefined) break
    end = found.next
    if (found.payload === null) marked = end
  }
  return { end, marked }
}

/** A place where a search looks, and what there may be. */
type Search = {
  readonly offset: number
  readonly size: number
  readonly of: 'mark' | 'record'
}

/**
 * The offset of the first mark, or complete record, that starts after `offset`, or undefined. Every byte is tried, since the
 * damaged record's own length cannot be trusted.
 */
export async function findAfter(
  file: ReadableFile,
  salt: Uint8Array,
  { offset, size, of }: Search
): Promise<number | undefined> {
  const window = new Window(file, size)
  for (let at = offset + 1; at + RECORD_HEADER_SIZE <= size; at++) {
    // Not awaited when the bytes are at hand: this loop runs once for each byte.
    const bytes =
      window.peek(at, RECORD_HEADER_SIZE) ?? (await window.bytes(at, RECORD_HEADER_SIZE))
    if (of === 'mark') {
      if (isMark(bytes, salt, at)) return at
    } else if (
      readRecordHeader(bytes, salt, at) !== undefined &&
      (await itemAt(window, salt, at)) !== undefined
    )
      return at
  }
  return undefined
}

/** The record (its payload is a view) or mark (no payload) at an offset, and where the next one starts; undefined when none holds together. */
async function itemAt(
  window: Window,
  salt: Uint8Array,
  offset: number
): Promise<{ readonly payload: Uint8Array | null; readonly next: number } | undefined> {
  const bytes = await window.bytes(offset, RECORD_HEADER_SIZE)
  if (bytes.length < RECORD_HEADER_SIZE) return undefined
  if (isMark(bytes, salt, offset)) return { payload: null, next: offset + MARK_SIZE }
  const header = readRecordHeader(bytes, salt, offset)
  if (header === undefined) return undefined
  const payload = await window.bytes(offset + RECORD_HEADER_SIZE, header.length)
  if (payload.length < header.length || !header.isPayload(payload)) return undefined
  return { payload, next: offset + RECORD_HEADER_SIZE + header.length }
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
