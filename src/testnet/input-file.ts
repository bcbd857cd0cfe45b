import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { TestnetInputMissingError, TestnetInputUnusableError } from './errors.ts'
import { INPUT_BYTES_MAX } from './limits.ts'
import { packageRoot } from './package-root.ts'

/** Ten articles in ten languages, shipped with the program. */
export function defaultInput(): string {
  return join(packageRoot(), 'testnet', 'inputs', 'udhr-10.txt')
}

/** Refuses an input that the job cannot be done on, before any node starts. Returns its absolute path and its lines that are not blank. */
export async function checkInput(
  input: string,
  wanted = 'a file of one text per line'
): Promise<{ readonly path: string; readonly texts: number }> {
  const path = resolve(input)
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'does not exist' : `cannot be read (${cause.code})`
    throw new TestnetInputMissingError(`${path} ${why}: give ${wanted}`, {}, { cause })
  })
  const unusable = (what: string, options?: ErrorOptions): TestnetInputUnusableError =>
    new TestnetInputUnusableError(`${path} ${what}: give ${wanted}`, {}, options)
  if (!stats.isFile()) throw unusable('is not a file')
  if (stats.size > INPUT_BYTES_MAX) throw unusable(`is larger than ${INPUT_BYTES_MAX} bytes`)
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new TestnetInputMissingError(`${path} cannot be read (${cause.code})`, {}, { cause })
  })
  const texts = countTexts(bytes, unusable)
  if (texts === 0) throw unusable('is empty')
  return { path, texts }
}

function countTexts(
  bytes: Uint8Array,
  unusable: (what: string, options: ErrorOptions) => TestnetInputUnusableError
): number {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.split('\n').filter(line => line.trim() !== '').length
  } catch (cause) {
    throw unusable('is not UTF-8 text', { cause })
  }
}
