import { writeSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
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

/** What the journal asks of a file system. Tests give one that crashes. */
export interface WalFiles {
  /** The file, or undefined when there is none. */
  open(path: string): Promise<WalFile | undefined>
  /** A new, empty file of mode 0600, and its folder; one that was there is gone. */
  create(path: string): Promise<WalFile>
  /** Gives a file another name; one that had it is gone. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>
  /** Resolves when names that were given or taken in the folder of this path survive a crash. */
  syncFolder(path: string): Promise<void>
}

/** Files of the operating system. */
export const systemFiles: WalFiles = {
  open: openExisting,
  create: async path => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await rm(path, { force: true })
    return walFile(await open(path, 'wx+', 0o600))
  },
  rename,
  remove: path => rm(path, { force: true }),
  syncFolder
}

async function openExisting(path: string): Promise<WalFile | undefined> {
  try {
    return walFile(await open(path, 'r+'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function walFile(handle: FileHandle): WalFile {
  return {
    read: (position, length) => readFully(handle, position, length),
    size: async () => (await handle.stat()).size,
    write: (bytes, position) => writeFully(handle, bytes, position),
    sync: () => handle.datasync(),
    truncate: size => handle.truncate(size),
    close: () => handle.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(dirname(path), 'r')
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

/** What a batch of inputs has to say goes to the page cache in a microsecond; the way to a thread and back would take forty times that. */
const WRITTEN_AT_ONCE_MAX = 64 * 1024

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const length = bytes.length - done
    if (bytes.length <= WRITTEN_AT_ONCE_MAX)
      done += writeSync(handle.fd, bytes, done, length, position + done)
    else done += (await handle.write(bytes, done, length, position + done)).bytesWritten
  }
}
