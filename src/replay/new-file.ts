import { randomUUID } from 'node:crypto'
import { type FileHandle, link, lstat, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SwarmError } from '../core/base/index.ts'
import { PathFailedError, PathNotFoundError, TargetExistsError } from './errors.ts'

/** Writes a file whole or not at all: beside its place first, synced, then under its name. */
export async function writeWhole(
  path: string,
  write: (file: FileHandle) => Promise<void>,
  place: (temporary: string, path: string) => Promise<void> = rename
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await write(file)
    await file.sync()
    await file.close()
    await place(temporary, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * The same to a path that a user chose: nothing may stand there, and its folder must exist. Rejects with TARGET_EXISTS,
 * PATH_NOT_FOUND, or PATH_FAILED when the system refuses.
 */
export async function writeNew(
  path: string,
  write: (file: FileHandle) => Promise<void>
): Promise<void> {
  try {
    if (!(await stat(dirname(path))).isDirectory()) throw folderMissing(path)
    if (await exists(path)) throw targetExists(path)
    await writeWhole(path, write, placeNew)
  } catch (cause) {
    throw pathError(path, cause)
  }
}

/** A second name for the file fails where something stands; renaming would replace what came there meanwhile. */
async function placeNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
    await rm(temporary)
  } catch (error) {
    // Some file systems know no second names.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' || (await exists(path))) throw error
    await rename(temporary, path)
  }
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false
  )
}

/** Turns an error of the file system into one that says what to do; others pass. */
function pathError(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (cause instanceof SwarmError || typeof code !== 'string') return cause
  if (code === 'ENOENT' || code === 'ENOTDIR') return folderMissing(path, cause)
  if (code === 'EEXIST') return targetExists(path, cause)
  return new PathFailedError(
    `${path} cannot be written (${code}): choose another file`,
    { path },
    { cause }
  )
}

function folderMissing(path: string, cause?: unknown): PathNotFoundError {
  return new PathNotFoundError(
    `there is no folder ${dirname(path)}: make it first, or choose another file`,
    { path },
    { cause }
  )
}

function targetExists(path: string, cause?: unknown): TargetExistsError {
  return new TargetExistsError(
    `${path} exists already: choose another file, or remove it first`,
    { path },
    { cause }
  )
}

/** Writes a stream to a path that a user chose, as `writeNew` does; nothing is left of one that fails. */
export function writeNewFile(path: string, stream: AsyncIterable<Uint8Array>): Promise<void> {
  return writeNew(path, async file => {
    for await (const part of stream) await file.writeFile(part)
  })
}

/** Rejects with TARGET_EXISTS where something stands. */
export async function requireNew(path: string): Promise<void> {
  if (await exists(path)) throw targetExists(path)
}
