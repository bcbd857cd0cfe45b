import { readFileSync } from 'node:fs'
import { ConfigInvalidError } from './errors.ts'
import type { Config } from './sections.ts'

/** The passphrase of the key from the environment or its file; null when the key has none. */
export function readPassphrase(config: Config): string | null {
  const { passphrase, passphraseFile } = config.keystore
  if (passphrase !== '') return passphrase
  if (passphraseFile === '') return null
  try {
    const line = readFileSync(passphraseFile, 'utf8').split(/\r?\n/u, 1)[0] ?? ''
    if (line !== '') return line
  } catch (cause) {
    throw invalid(passphraseFile, `names a file that cannot be read: ${passphraseFile}`, cause)
  }
  throw invalid(passphraseFile, `names a file whose first line is empty: ${passphraseFile}`)
}

function invalid(source: string, message: string, cause?: unknown): ConfigInvalidError {
  return new ConfigInvalidError([{ key: 'keystore.passphraseFile', source, message }], { cause })
}
