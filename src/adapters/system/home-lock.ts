import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SwarmError } from '../../core/base/index.ts'

/** Another process runs a node on this home. */
export class HomeLockedError extends SwarmError {
  readonly code = 'HOME_LOCKED'

  constructor(home: string, pid: number | null) {
    super(
      `the home ${home} is in use by ${pid === null ? 'another process' : `process ${pid}`}: stop that node first, or give this one another home with --home`,
      { home, pid }
    )
  }
}

/** The home's lock cannot be taken at all. */
export class HomeLockFailedError extends SwarmError {
  readonly code = 'HOME_LOCK_FAILED'

  constructor(home: string, cause: unknown) {
    super(
      `the home ${home} cannot be locked (${(cause as Error).message}): check that it is a folder that you may write to`,
      { home },
      { cause }
    )
  }
}

/** A held lock. It ends with `release`, or with the process, however that ends. */
export type HomeLock = { release(): void }

/** SQLite's result code for "another connection has it". */
const SQLITE_BUSY = 5

/**
 * Takes the home for this process alone; throws HomeLockedError with the holder's pid when another has it. The lock is the
 * operating system's own file lock, which Node offers only through SQLite: it goes with the process, so SIGKILL leaves
 * nothing to clean up. The pid file beside it is for people; nobody decides by it.
 */
export function homeLock(home: string): HomeLock {
  const pidFile = join(home, 'node.pid')
  const database = openDatabase(home)
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY)
      throw new HomeLockedError(home, readPid(pidFile))
    throw new HomeLockFailedError(home, error)
  }
  held.add(database)
  return {
    release: () => {
      if (held.delete(database)) database.close()
    }
  }
}

/** A connection that nothing refers to would be collected, and the lock with it. */
const held = new Set<DatabaseSync>()

function openDatabase(home: string): DatabaseSync {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 })
    return new DatabaseSync(join(home, 'node.lock'), { timeout: 0 })
  } catch (error) {
    throw new HomeLockFailedError(home, error)
  }
}

function readPid(pidFile: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}
