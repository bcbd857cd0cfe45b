import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/index.ts'

/** Whether a passphrase is given for a key that lies open on the disk. What is wrong with a key file is the keystore's to say. */
export async function isPassphraseIdle({ home, keystore }: Config): Promise<boolean> {
  if (keystore.passphrase === '' && keystore.passphraseFile === '') return false
  try {
    const key = JSON.parse(await readFile(join(home.dir, 'key.json'), 'utf8')) as {
      readonly cipher?: unknown
    }
    return key.cipher === null
  } catch {
    return false
  }
}
