import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The folder of cold files. Whole files come and go; nothing in them ever changes. */
export interface ColdFiles {
  names(): Promise<string[]>
  /** Complete and on disk when it resolves, or not there. */
  write(name: string, bytes: Uint8Array): Promise<void>
  /** A part of a file; of the whole file without a length. Null when the file is not there. */
  read(name: string, range?: { offset: number; length: number }): Promise<Uint8Array | null>
}

const UNFINISHED = '.tmp'

/** A folder of this machine; made when it is needed. */
export function coldFolder(directory: string): ColdFiles {
  return {
    names: async () => {
      const names = await readdir(directory).catch(ifAbsent([]))
      // What a crash left is in no index.
      for (const name of names)
        if (name.endsWith(UNFINISHED)) await rm(join(directory, name), { force: true })
      return names.filter(name => !name.endsWith(UNFINISHED)).sort()
    },
    write: async (name, bytes) => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const path = join(directory, name)
      const file = await open(path + UNFINISHED, 'w', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(path + UNFINISHED, path)
      await syncFolder(directory)
    },
    read: async (name, range) => {
      const file = await open(join(directory, name), 'r').catch(ifAbsent(null))
      if (file === null) return null
      try {
        if (range === undefined) return new Uint8Array(await file.readFile())
        const bytes = new Uint8Array(range.length)
        const { bytesRead } = await file.read(bytes, 0, range.length, range.offset)
        return bytes.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    }
  }
}

/** The audit folder: files that go with a thread into its cold file. */
export interface LogFiles {
  read(thread: string): Promise<{ readonly name: string; readonly bytes: Uint8Array }[]>
  remove(thread: string): Promise<void>
}

/** Logs are `THREAD.jsonl`, then `THREAD.jsonl.1` and so on. */
export function logFolder(directory: string): LogFiles {
  const nameOf = (thread: string, part: number): string =>
    part === 0 ? `${thread}.jsonl` : `${thread}.jsonl.${part}`
  const read = async (thread: string): Promise<{ name: string; bytes: Uint8Array }[]> => {
    const files: { name: string; bytes: Uint8Array }[] = []
    for (;;) {
      const name = nameOf(thread, files.length)
      const file = await open(join(directory, name), 'r').catch(ifAbsent(null))
      if (file === null) return files
      try {
        files.push({ name, bytes: new Uint8Array(await file.readFile()) })
      } finally {
        await file.close()
      }
    }
  }
  return {
    read,
    remove: async thread => {
      const files = await read(thread)
      // The last first: what a cut leaves is still found from the first on.
      for (const { name } of files.reverse()) await rm(join(directory, name), { force: true })
    }
  }
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function ifAbsent<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return error => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}
