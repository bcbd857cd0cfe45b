import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { HomeUnwritableError } from './errors.ts'

/**
 * Makes the home, mode 0700, unless it is there, and makes sure that it can be written. Throws HomeUnwritableError. One
 * folder after the other: Node's recursive mkdir never returns where the system answers ENOENT for every new folder, as
 * in /proc.
 */
export async function makeHome(home: string): Promise<void> {
  const missing: string[] = []
  let folder = resolve(home)
  while (!(await isThere(folder, home)) && dirname(folder) !== folder) {
    missing.push(folder)
    folder = dirname(folder)
  }
  try {
    await access(folder, constants.W_OK | constants.X_OK)
    for (const next of missing.reverse()) await makeFolder(next)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw unwritable(
      home,
      `${missing.length === 0 ? 'cannot be written' : 'cannot be made'} (${code})`,
      cause
    )
  }
}

async function isThere(folder: string, home: string): Promise<boolean> {
  try {
    if ((await stat(folder)).isDirectory()) return true
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    // ENOTDIR: a file further up, which the walk meets next.
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw unwritable(home, `cannot be made (${code})`, cause)
  }
  throw unwritable(home, `cannot be made: ${folder} is a file`)
}

/** Another process may make the same home at the same time. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function unwritable(home: string, why: string, cause?: unknown): HomeUnwritableError {
  return new HomeUnwritableError(
    `the home ${home} ${why}; choose a folder that you may write to with --home`,
    {},
    { cause }
  )
}
