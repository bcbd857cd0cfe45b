import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { UnixFS } from '@helia/unixfs'
import { SwarmError } from '../../core/base/index.ts'
import type { CID } from '../../core/codec/index.ts'
import type { AddProgress } from '../../ports/index.ts'

/** The codes with which the port's calls fail, equal to those of the store on disk. */
export type MemoryArtifactCode =
  | 'ARTIFACT_NOT_FOUND'
  | 'ARTIFACT_STORE_STOPPED'
  | 'BAD_CID'
  | 'BAD_RANGE'
  | 'BLOCK_MISMATCH'
  | 'CAR_CORRUPT'
  | 'NOT_A_FILE'
  | 'NOT_PINNED'
  | 'PATH_FAILED'
  | 'PATH_NOT_FOUND'
  | 'TARGET_EXISTS'
  | 'TOO_LARGE'
  | 'UNSAFE_NAME'

/** Any failure of the twin. */
export class MemoryArtifactError extends SwarmError {
  readonly code: MemoryArtifactCode

  constructor(code: MemoryArtifactCode, message: string, cause?: unknown) {
    super(message, {}, { cause })
    this.code = code
  }
}

export type Count = { bytes: number; files: number }
type Candidate = { path: string; content?: AsyncIterable<Uint8Array> }

/** Entries below a folder for the importer: sorted, hidden ones included, links left out. */
export async function* candidates(
  root: string,
  advance: (bytes: number, path: string) => void,
  count: Count,
  below = ''
): AsyncGenerator<Candidate> {
  const entries = await readdir(join(root, below), { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isFile()) yield { path, content: fileChunks(join(root, path), path, advance, count) }
    if (!entry.isDirectory()) continue
    yield { path }
    yield* candidates(root, advance, count, path)
  }
}

/** The bytes of one file. */
export async function* fileChunks(
  source: string,
  path: string,
  advance: (bytes: number, path: string) => void,
  count: Count
): AsyncGenerator<Uint8Array> {
  count.files += 1
  const file = await open(source)
  for await (const chunk of file.createReadStream() as AsyncIterable<Uint8Array>) {
    advance(chunk.length, path)
    yield chunk
  }
}

/** Writes a file or folder to a path that must not exist; what was written is removed on failure. */
export async function writeOut(
  fs: UnixFS,
  cid: CID,
  target: string,
  onProgress?: (progress: AddProgress) => void
): Promise<Count> {
  await requireVacant(target)
  const count: Count = { bytes: 0, files: 0 }
  await fs.stat(cid)
  try {
    await writeNode(fs, cid, target, { count, onProgress })
    return count
  } catch (error) {
    await rm(target, { recursive: true, force: true })
    throw pathError(target, error)
  }
}

type Writing = {
  readonly count: Count
  readonly onProgress: ((progress: AddProgress) => void) | undefined
}

async function writeNode(fs: UnixFS, cid: CID, target: string, writing: Writing): Promise<void> {
  if ((await fs.stat(cid)).type !== 'directory') return writeFile(fs, cid, target, writing)
  await mkdir(target)
  for await (const { cid: child, name } of fs.ls(cid)) {
    if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
      throw new MemoryArtifactError(
        'UNSAFE_NAME',
        `a folder entry is named ${JSON.stringify(name)}`
      )
    }
    await writeNode(fs, child, join(target, name), writing)
  }
}

async function writeFile(fs: UnixFS, cid: CID, target: string, writing: Writing): Promise<void> {
  const file = await open(target, 'wx')
  try {
    for await (const bytes of fs.cat(cid)) {
      await file.writeFile(bytes)
      writing.count.bytes += bytes.length
      writing.onProgress?.({ bytes: writing.count.bytes, path: target })
    }
  } finally {
    await file.close()
  }
  writing.count.files += 1
}

/** Rejects unless nothing is at the path and its parent folder exists. */
export async function requireVacant(target: string): Promise<void> {
  await stat(dirname(target)).catch(error => {
    throw pathError(dirname(target), error)
  })
  const taken = await stat(target).catch(() => undefined)
  if (taken !== undefined)
    throw new MemoryArtifactError('TARGET_EXISTS', `${target} exists already`)
}

/** Turns an error of the file system into ours; others pass. */
export function pathError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (error instanceof SwarmError || typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code))
    return error
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new MemoryArtifactError('PATH_NOT_FOUND', `${path} does not exist`, error)
  }
  return new MemoryArtifactError(
    'PATH_FAILED',
    `${path} cannot be used: ${(error as Error).message}`,
    error
  )
}
