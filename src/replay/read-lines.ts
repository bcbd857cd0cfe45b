import { ok, type Result, refuse } from '../core/base/index.ts'
import { linesIn } from './check-chunk.ts'
import { decodeLine, type Line } from './format.ts'
import { readChunks } from './read-chunks.ts'

/** A line as it stands, with its bytes. */
export type ReadLine = { readonly line: Line; readonly text: Uint8Array }

/**
 * The lines of a record one by one, in bounded memory. Of chain and signatures nothing is checked; reading stops at what is no line. Rejects with RECORD_MISSING. `onBytes`
 * is told of each piece that is read, and ends the reading by what it throws.
 */
export async function* readLines(
  path: string,
  onBytes: (count: number) => void = () => undefined
): AsyncGenerator<Result<ReadLine>> {
  for await (const chunk of readChunks(path)) {
    if (typeof chunk !== 'string') onBytes(chunk.length)
    if (typeof chunk === 'string') {
      const isLong = chunk === 'long'
      yield refuse(
        isLong ? 'RECORD_LINE_TOO_LONG' : 'RECORD_TRUNCATED',
        isLong ? 'the line is longer than a line may be' : 'the file ends inside a line'
      )
      return
    }
    for (const text of linesIn(chunk)) {
      const decoded = decodeLine(text)
      yield decoded.ok ? ok({ line: decoded.value, text }) : decoded
      if (!decoded.ok) return
    }
  }
}
