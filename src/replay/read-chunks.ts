import { createReadStream } from 'node:fs'
import { access, constants, open, stat } from 'node:fs/promises'
import { RecordMissingError } from './errors.ts'
import { LINE_BYTES_MAX } from './format.ts'

/** Bytes of lines that are checked at once: some hundred envelopes, so that handing them over costs little beside checking them. */
export const CHUNK_BYTES: number = 128 * 1024

/** Whole lines, or what is wrong with the rest of the file. */
export type Chunk = Uint8Array | 'long' | 'cut'

const NEWLINE = 10
/** How the line of a part begins, unlike that of a header. */
const PART_BEGINS = '{"body":{"node":"did:key:'

/**
 * The lines of a record, and of the further files of a log beside it (`<path>.1`, `<path>.2`, ...), in chunks of whole lines, in bounded memory. Rejects
 * with RECORD_MISSING.
 */
export async function* readChunks(path: string, from = 0): AsyncGenerator<Chunk> {
  let skip = from
  for (const { path: part, size } of await partsOf(path)) {
    if (skip >= size) {
      skip -= size
      continue
    }
    const start = skip
    skip = 0
    yield* readFileChunks(part, start)
  }
}

/** The same of one file. */
export function readFileChunks(path: string, start = 0): AsyncGenerator<Chunk> {
  return chunksOf(
    createReadStream(path, { start, highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>
  )
}

/** Bytes of the record and of its further files. */
export async function sizeOf(path: string): Promise<number> {
  return (await partsOf(path)).reduce((sum, { size }) => sum + size, 0)
}

/** Cuts a stream into chunks of whole lines. Holds one chunk and one line at most. */
export async function* chunksOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Chunk> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (const data of stream) {
    const end = data.lastIndexOf(NEWLINE)
    if (end >= 0) {
      const lines = joined([...waiting, data.subarray(0, end + 1)], size + end + 1)
      waiting = []
      size = 0
      if (hasLongLine(lines)) {
        yield 'long'
        return
      }
      yield lines
    }
    const rest = data.subarray(end + 1)
    if (rest.length > 0) waiting.push(rest)
    size += rest.length
    if (size > LINE_BYTES_MAX) {
      yield 'long'
      return
    }
  }
  if (size > 0) yield 'cut'
}

/** In memory of its own, which can be handed to another thread; a Buffer would also change how bytes compare and encode. */
function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function hasLongLine(lines: Uint8Array): boolean {
  if (lines.length <= LINE_BYTES_MAX) return false
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf(NEWLINE, at)
    if (end - at > LINE_BYTES_MAX) return true
    at = end + 1
  }
  return false
}

export type Part = { readonly path: string; readonly size: number }

/** The files of a record or a log, in order. */
export async function partsOf(path: string): Promise<readonly Part[]> {
  const parts: Part[] = [{ path, size: await sizeOfFile(path) }]
  for (;;) {
    const further = `${path}.${parts.length}`
    if (!(await isPart(further))) return parts
    parts.push({ path: further, size: (await stat(further)).size })
  }
}

/** Whether a further file of a log is there, by its first bytes: other programs number their files too. */
async function isPart(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null)
  if (file === null) return false
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PART_BEGINS.length), 0)
    return buffer.toString('utf8', 0, bytesRead) === PART_BEGINS
  } finally {
    await file.close()
  }
}

async function sizeOfFile(path: string): Promise<number> {
  try {
    const stats = await stat(path)
    if (stats.isFile()) {
      await access(path, constants.R_OK)
      return stats.size
    }
  } catch (cause) {
    throw missing(path, 'no record at', cause)
  }
  throw missing(path, 'not a file:')
}

function missing(path: string, what: string, cause?: unknown): RecordMissingError {
  return new RecordMissingError(
    `${what} ${path}; give the path of a file written by "can-swarm audit export" that you can read`,
    { path },
    { cause }
  )
}
