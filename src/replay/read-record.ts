import { createReadStream } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { ok, type Result, refuse } from '../core/base/index.ts'
import type { VerifySignature } from '../ports/index.ts'
import { RecordMissingError } from './errors.ts'
import {
  decodeLine,
  LINE_BYTES_MAX,
  type Line,
  lineHash,
  lineSigningBytes,
  RECORD_VERSION
} from './format.ts'

/** How far reading has come, in bytes. */
export type ReadProgress = { readonly bytes: number; readonly totalBytes: number }

/**
 * Reads a record line by line in bounded memory and checks each as a line: canonical form, place, chain, signature of the recording
 * node. Yields a refusal as the last item at the first line that fails; what comes after a broken chain proves nothing.
 */
export async function* readRecord(
  path: string,
  verify: VerifySignature,
  onProgress?: (progress: ReadProgress) => void
): AsyncGenerator<Result<Line>> {
  const totalBytes = await sizeOf(path)
  const chain = new Chain(verify)
  let bytes = 0
  for await (const text of linesOf(path)) {
    if (text === 'long') {
      yield refuse('RECORD_LINE_TOO_LONG', `longer than ${LINE_BYTES_MAX} bytes`)
      return
    }
    if (text === 'cut') {
      yield refuse('RECORD_TRUNCATED', 'the line is cut off: the file ends inside it')
      return
    }
    bytes += text.length + 1
    onProgress?.({ bytes, totalBytes })
    const line = chain.take(text)
    yield line
    if (!line.ok) return
  }
  if (!chain.ended)
    yield refuse(
      'RECORD_TRUNCATED',
      `the record stops after ${chain.next} line(s), without its end line`
    )
}

class Chain {
  readonly #verify: VerifySignature
  #node: string | null = null
  #prev = ''
  next = 0
  ended = false

  constructor(verify: VerifySignature) {
    this.#verify = verify
  }

  take(text: Uint8Array): Result<Line> {
    if (this.ended) return refuse('RECORD_AFTER_END', `the record goes on after its end line`)
    const decoded = decodeLine(text)
    if (!decoded.ok) return decoded
    const line = decoded.value
    const { body } = line
    if (line.seq !== this.next)
      return refuse(
        'RECORD_ORDER',
        `found line ${line.seq + 1} of the record; a line was removed, repeated or moved`
      )
    if (line.prev !== this.#prev)
      return refuse(
        'RECORD_CHAIN',
        `expected the hash ${this.#prev} of the line before, found ${line.prev}`
      )
    if ((body.type === 'header') !== (this.next === 0))
      return refuse('RECORD_HEADER', `the header is the first line and no other`)
    if (body.type === 'header') {
      if (body.version !== RECORD_VERSION)
        return refuse(
          'RECORD_VERSION',
          `version ${body.version} is not known here; this program reads version ${RECORD_VERSION}`
        )
      this.#node = body.node
    }
    if (this.#node === null || !this.#verify(this.#node, lineSigningBytes(line), line.sig)) {
      return refuse('RECORD_SIGNATURE', `the recording node's signature is wrong`)
    }
    this.ended = body.type === 'end'
    this.#prev = lineHash(text)
    this.next += 1
    return ok(line)
  }
}

async function sizeOf(path: string): Promise<number> {
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

/** Lines without their newline; in place of the last one what is wrong with it. */
async function* linesOf(path: string): AsyncGenerator<Uint8Array | 'long' | 'cut'> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      if (end > LINE_BYTES_MAX) {
        yield 'long'
        return
      }
      // A plain view: Buffer would change how bytes compare and encode.
      yield new Uint8Array(data.subarray(0, end))
      data = data.subarray(end + 1)
    }
    rest = data
    if (rest.length > LINE_BYTES_MAX) break
  }
  if (rest.length > 0) yield rest.length > LINE_BYTES_MAX ? 'long' : 'cut'
}
