import { randomBytes } from 'node:crypto'
import { constants, copyFile, link, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SwarmError } from '../../core/base/index.ts'
import {
  KeystoreCorruptError,
  KeystoreExistsError,
  KeystoreFailedError,
  KeystoreMissingError,
  KeystorePermissionsError
} from './errors.ts'
import { KEYSTORE_BYTES_MAX } from './format.ts'

/** Bits of a mode that let anybody but the owner in. */
const OTHERS = 0o077
const WORLD_WRITABLE = 0o002
const STICKY = 0o1000

/** The text of a key file whose permissions are as they must be. */
export async function readKeyFile(path: string): Promise<string> {
  try {
    await checkFolder(dirname(path))
    await using file = await open(path, 'r')
    const { mode, size } = await file.stat()
    // Read through the handle that was checked: the name could point elsewhere by now.
    if (hasModes() && (mode & OTHERS) !== 0) {
      throw new KeystorePermissionsError(path, mode & 0o7777, 0o600)
    }
    if (size > KEYSTORE_BYTES_MAX) throw new KeystoreCorruptError(path, 'it is too long')
    return await file.readFile('utf8')
  } catch (cause) {
    throw named(path, cause)
  }
}

/** Writes a new key file with mode 0600 in a folder with mode 0700. All or nothing, and never over a file. */
export async function createKeyFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await checkFolder(dirname(path))
    await throughTemporary(path, text, async temporary => {
      // A hard link, unlike a rename, fails where a file is.
      await link(temporary, path).catch(async error => {
        if (!hasNoLinks(error)) throw error
        await copyFile(temporary, path, constants.COPYFILE_EXCL)
        await sync(path)
      })
    })
  } catch (cause) {
    throw named(path, cause)
  }
}

/** Puts another text in the place of an existing key file, at once. */
export async function replaceKeyFile(path: string, text: string): Promise<void> {
  try {
    await throughTemporary(path, text, temporary => rename(temporary, path))
  } catch (cause) {
    throw named(path, cause)
  }
}

async function throughTemporary(
  path: string,
  text: string,
  publish: (temporary: string) => Promise<void>
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    {
      await using file = await open(temporary, 'wx', 0o600)
      await file.writeFile(text)
      await file.sync()
    }
    await publish(temporary)
  } finally {
    await rm(temporary, { force: true })
  }
  await sync(dirname(path))
}

/** Makes a file, or the names in a folder, survive a power cut. */
async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

async function checkFolder(folder: string): Promise<void> {
  const { mode } = await stat(folder)
  if (hasModes() && (mode & WORLD_WRITABLE) !== 0 && (mode & STICKY) === 0) {
    throw new KeystorePermissionsError(folder, mode & 0o7777, 0o700)
  }
}

/** Windows answers with modes that say nothing. */
function hasModes(): boolean {
  return process.platform !== 'win32'
}

function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error))
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code)
}

function named(path: string, cause: unknown): Error {
  if (cause instanceof SwarmError) return cause
  if (codeOf(cause) === 'ENOENT') return new KeystoreMissingError(path, { cause })
  if (codeOf(cause) === 'EEXIST') return new KeystoreExistsError(path, { cause })
  return new KeystoreFailedError(path, cause)
}
