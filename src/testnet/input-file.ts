import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { TestnetInputMissingError, TestnetInputUnusableError } from './errors.ts'
import { INPUT_BYTES_MAX } from './limits.ts'
import { packageRoot } from './package-root.ts'

/** Ten articles in ten languages, shipped with the program. */
export function defaultInput(): string {
  return join(packageRoot(), 'testnet', 'inputs', 'udhr-10.txt')
}

/** Refuses an input that the job cannot be done on, before any node starts. Returns its absolute path and its texts. */
export async function checkInput(
  input: string
): Promise<{ readonly path: string; readonly texts: number }> {
  const path = resolve(input)
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'does not exist' : `cannot be read (${cause.code})`
    throw new TestnetInputMissingError(
      `${path} ${why}: give a file of one text per line`,
      {},
      { cause }
    )
  })
  if (!stats.isFile()) throw unusable(path, 'is not a file')
  if (stats.size > INPUT_BYTES_MAX) throw unusable(path, `is larger than ${INPUT_BYTES_MAX} bytes`)
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new TestnetInputMissingError(`${path} cannot be read (${cause.code})`, {}, { cause })
  })
  return { path, texts: countTexts(path, bytes) }
}

function countTexts(path: string, bytes: Uint8Array): number {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw unusable(path, 'is not UTF-8 text', { cause })
  }
  const texts = text.split('\n').filter(line => line.trim() !== '').length
  if (texts === 0) throw unusable(path, 'is empty')
  return texts
}

function unusable(path: string, what: string, options?: ErrorOptions): TestnetInputUnusableError {
  return new TestnetInputUnusableError(
    `${path} ${what}: give a file of one text per line`,
    {},
    options
  )
}
