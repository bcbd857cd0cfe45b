import { randomFillSync } from 'node:crypto'
import type { Signer } from '../../ports/index.ts'
import { decryptSeed, encryptSeed, SCRYPT_LOG_N } from './encryption.ts'
import {
  KeystoreCorruptError,
  KeystoreExistsError,
  KeystoreMissingError,
  PassphraseNeededError
} from './errors.ts'
import { formatKeyFile, type KeyFile, parseKeyFile } from './format.ts'
import { createKeyFile, readKeyFile, replaceKeyFile } from './key-file.ts'
import { seedSigner } from './seed-signer.ts'

export type KeystoreInit = {
  /** The key file. */
  readonly path: string
  /** Opens, or for a new key locks, the file. Null or absent: the file is protected by its mode alone. */
  readonly passphrase?: string | null | undefined
  /** Make a new key where there is none. */
  readonly create?: boolean
  /** Cost of deriving a key when encrypting; N = 2^logN. Tests lower it. */
  readonly scryptLogN?: number
}

export type Keystore = {
  readonly did: string
  readonly signer: Signer
  /** The 32-byte RFC 8032 seed, which is also the libp2p key. Secret. */
  readonly seed: Uint8Array
  /** A new key was made. */
  readonly created: boolean
  /** The file is locked by a passphrase. A passphrase given for an open file is ignored. */
  readonly encrypted: boolean
}

/**
 * Opens the node's key, or makes one with `create`. Rejects with an error of `errors.ts`: KEYSTORE_MISSING, _CORRUPT,
 * _VERSION, _PERMISSIONS, _FAILED, WRONG_PASSPHRASE, PASSPHRASE_NEEDED. Never writes over a file.
 */
export async function openKeystore(init: KeystoreInit): Promise<Keystore> {
  try {
    return await openExisting(init)
  } catch (error) {
    if (init.create !== true || !(error instanceof KeystoreMissingError)) throw error
  }
  const seed = randomFillSync(new Uint8Array(32))
  const signer = seedSigner(seed)
  const keyFile = await encryptSeed(seed, signer.did, lockOf(init))
  try {
    await createKeyFile(init.path, formatKeyFile(keyFile))
  } catch (error) {
    // Another process was faster: its key is the key.
    if (error instanceof KeystoreExistsError) return openExisting(init)
    throw error
  }
  return { did: signer.did, signer, seed, created: true, encrypted: keyFile.cipher !== null }
}

/** Locks the key with another passphrase, or with null unlocks it. The file changes at once or not at all. */
export async function changePassphrase(
  init: KeystoreInit,
  newPassphrase: string | null
): Promise<void> {
  const text = await exportKeystore(init, newPassphrase)
  await replaceKeyFile(init.path, text)
}

/** The key as the text of a key file under another passphrase, to carry it elsewhere. Null gives it unlocked: a secret. */
export async function exportKeystore(
  init: KeystoreInit,
  newPassphrase: string | null
): Promise<string> {
  const { seed, did } = await openExisting(init)
  return formatKeyFile(await encryptSeed(seed, did, lockOf({ ...init, passphrase: newPassphrase })))
}

/**
 * Writes an exported key to `init.path`, where no file may be. The passphrase must open it (checked before anything is
 * written) and stays its passphrase.
 */
export async function importKeystore(init: KeystoreInit, text: string): Promise<Keystore> {
  const keyFile = parseKeyFile(init.path, text)
  const keystore = await unlock(init, keyFile)
  await createKeyFile(init.path, formatKeyFile(keyFile))
  return { ...keystore, created: true }
}

async function openExisting(init: KeystoreInit): Promise<Keystore> {
  return unlock(init, parseKeyFile(init.path, await readKeyFile(init.path)))
}

async function unlock({ path, passphrase }: KeystoreInit, keyFile: KeyFile): Promise<Keystore> {
  const encrypted = keyFile.cipher !== null
  if (encrypted && !passphrase) throw new PassphraseNeededError(path)
  const seed = await decryptSeed(path, keyFile, passphrase ?? '')
  const signer = seedSigner(seed)
  if (signer.did !== keyFile.did)
    throw new KeystoreCorruptError(path, 'the key is not the one that its did names')
  return { did: signer.did, signer, seed, created: false, encrypted }
}

function lockOf({
  path,
  passphrase,
  scryptLogN
}: KeystoreInit): { passphrase: string; logN: number } | null {
  if (passphrase === null || passphrase === undefined) return null
  if (passphrase === '') throw new PassphraseNeededError(path)
  return { passphrase, logN: scryptLogN ?? SCRYPT_LOG_N }
}
