import type { Readable } from 'node:stream'
import { UsageError } from './errors.ts'

/** All of standard input. Rejects with UsageError when it is longer than `bytesMax`. */
export async function readAll(stream: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    size += (chunk as Buffer).length
    if (size > bytesMax)
      throw new UsageError(
        `standard input is longer than ${bytesMax} bytes: write it to a file and use --input FILE`
      )
    chunks.push(Buffer.from(chunk as Buffer))
  }
  return Buffer.concat(chunks)
}
