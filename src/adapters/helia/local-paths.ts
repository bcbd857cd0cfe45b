import { createReadStream } from 'node:fs'
import { opendir, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { compareText } from '../../core/base/index.ts'
import type { AddProgress, Logger } from '../../ports/index.ts'
import {
  NotAFileError,
  PathFailedError,
  PathNotFoundError,
  TargetExistsError,
  UnsafeNameError
} from './errors.ts'

/** Bytes read from a file at once; a leaf block is filled by four. */
const READ_BYTES: number = 256 * 1024

export type LocalRoot = {
  readonly path: string
  readonly name: string
  readonly kind: 'file' | 'folder'
}

/** An entry of a folder: path below it with `/`, and the absolute path of its content (null: an empty folder). */
export type LocalEntry = { readonly path: string; readonly source: string | null }

/** Resolves the path that a user named, following links: the user chose them. */
export async function localRoot(path: string): Promise<LocalRoot> {
  try {
    const real = await realpath(path)
    const info = await stat(real)
    const name = basename(real)
    if (info.isFile()) return { path: real, name, kind: 'file' }
    if (info.isDirectory()) return { path: real, name, kind: 'folder' }
  } catch (cause) {
    throw pathError(path, cause)
  }
  throw new NotAFileError(`${path} is neither a file nor a folder`, { path })
}

/**
 * Files and folders below a folder, sorted, hidden ones included. Symbolic links are not followed: they could lead out of the folder or in a circle.
 * They and sockets, pipes and devices are left out with a warning.
 */
export async function* localEntries(
  root: string,
  logger: Logger,
  below = ''
): AsyncGenerator<LocalEntry> {
  for (const entry of await sortedEntries(join(root, below))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isFile()) yield { path, source: join(root, path) }
    else if (!entry.isDirectory())
      logger.warn('left out of the artifact: neither file nor folder', { path: join(root, path) })
    else if (entry.name.endsWith('\\')) {
      // The importer takes a backslash before the separator for an escape and would store a name with a slash.
      throw new UnsafeNameError(
        `the folder ${join(root, path)} cannot be added: its name ends in a backslash. Rename it`,
        { path }
      )
    } else {
      yield { path, source: null }
      yield* localEntries(root, logger, path)
    }
  }
}

async function sortedEntries(folder: string): Promise<import('node:fs').Dirent[]> {
  try {
    const entries = []
    for await (const entry of await opendir(folder)) entries.push(entry)
    return entries.sort((a, b) => compareText(a.name, b.name))
  } catch (cause) {
    throw pathError(folder, cause)
  }
}

/** Counts what an import or export has moved so far, over all its files. */
export class Meter {
  bytes = 0
  files = 0
  readonly #onProgress: ((progress: AddProgress) => void) | undefined

  constructor(onProgress: ((progress: AddProgress) => void) | undefined) {
    this.#onProgress = onProgress
  }

  advance(bytes: number, path: string): void {
    this.bytes += bytes
    this.#onProgress?.({ bytes: this.bytes, path })
  }
}

/** The bytes of a file of this machine, metered. The file is opened when the first bytes are asked for. */
export async function* fileBytes(
  source: string,
  path: string,
  meter: Meter
): AsyncGenerator<Uint8Array> {
  meter.files += 1
  try {
    for await (const chunk of createReadStream(source, { highWaterMark: READ_BYTES })) {
      meter.advance(chunk.length, path)
      yield chunk
    }
  } catch (cause) {
    throw pathError(source, cause)
  }
}

/** Turns an error of the file system into ours; others pass. */
export function pathError(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return cause
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new PathNotFoundError(`${path} does not exist`, { path }, { cause })
  }
  if (code === 'EEXIST') return targetExists(path, cause)
  return new PathFailedError(
    `${path} cannot be used: ${(cause as Error).message}`,
    { path, errno: code },
    { cause }
  )
}

export function targetExists(path: string, cause?: unknown): TargetExistsError {
  return new TargetExistsError(
    `${path} exists already; choose another target or remove it`,
    { path },
    { cause }
  )
}
