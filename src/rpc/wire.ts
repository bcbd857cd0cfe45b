import { LineTooLongError } from './errors.ts'
import { LINE_BYTES_MAX } from './limits.ts'

export type RequestId = number | string

/** A request, or a notification when `id` is absent. */
export type RequestMessage = {
  readonly jsonrpc: '2.0'
  readonly id?: RequestId
  readonly method: string
  readonly params?: unknown
}

export type ErrorBody = {
  readonly code: number
  readonly message: string
  readonly data: { readonly code: string; readonly hint: string }
}

/** Splits a byte stream into lines of bounded length. Bytes are joined once per line, however they were cut. */
export class LineSplitter {
  #parts: Uint8Array[] = []
  #size = 0
  readonly #lineBytesMax: number

  constructor(lineBytesMax: number = LINE_BYTES_MAX) {
    this.#lineBytesMax = lineBytesMax
  }

  /** Complete lines without their end, blank ones left out. Throws LineTooLongError; the stream is unusable then. */
  *push(chunk: Uint8Array): Generator<string> {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(10, start)
      const part = chunk.subarray(start, end < 0 ? chunk.length : end)
      this.#size += part.length
      if (this.#size > this.#lineBytesMax)
        throw new LineTooLongError(
          `a line is longer than ${this.#lineBytesMax} bytes: send large inputs as a file path`
        )
      this.#parts.push(part)
      if (end < 0) return
      const line = Buffer.concat(this.#parts, this.#size).toString('utf8').trim()
      this.#parts = []
      this.#size = 0
      start = end + 1
      if (line !== '') yield line
    }
  }
}
