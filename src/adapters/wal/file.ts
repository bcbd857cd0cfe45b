import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileHeader, SALT_SIZE } from './format.ts'
import type { ReadableFile } from './scan.ts'

/** What the journal asks of an open file. Tests give one that fails. */
export interface WalFile extends ReadableFile {
  size(): Promise<number>
  /** Writes all bytes at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Resolves when data and size are on the disk (fdatasync). */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

/** Opens the file, creating it with a header when there is none. */
export async function openWalFile(path: string): Promise<WalFile> {
  const handle = (await openExisting(path)) ?? (await create(path))
  return {
    read: (position, length) => readFully(handle, position, length),
    size: async () => (await handle.stat()).size,
    write: (bytes, position) => writeFully(handle, bytes, position),
    sync: () => handle.datasync(),
    truncate: size => handle.truncate(size),
    close: () => handle.close()
  }
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The header is complete on disk before the name exists, so that a file without one is damage and never a crash of ours. */
async function create(path: string): Promise<FileHandle> {
  const folder = dirname(path)
  const fresh = `${path}.new`
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await rm(fresh, { force: true })
  const handle = await open(fresh, 'wx+', 0o600)
  try {
    await writeFully(handle, fileHeader(randomBytes(SALT_SIZE)), 0)
    await handle.sync()
    await rename(fresh, path)
    await syncFolder(folder)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Makes the new name itself survive a crash. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function readFully(
  handle: FileHandle,
  position: number,
  length: number
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
