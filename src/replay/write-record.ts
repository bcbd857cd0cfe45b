import { randomUUID } from 'node:crypto'
import { link, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SwarmError } from '../core/base/index.ts'
import { CID } from '../core/codec/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import type { Signer } from '../ports/index.ts'
import { PathFailedError, PathNotFoundError, TargetExistsError } from './errors.ts'
import {
  type Body,
  bodyOf,
  encodeLine,
  lineHash,
  lineSigningBytes,
  RECORD_VERSION
} from './format.ts'

export type RecordInit = {
  readonly thread: string
  readonly items: readonly RecordItem[]
  readonly complete: boolean
}

/**
 * Writes a thread's record as signed, hash-chained JSON Lines, whole or not at all; replaces an earlier one and makes the
 * folder. Returns the number of lines.
 */
export async function writeRecord(
  path: string,
  record: RecordInit,
  signer: Signer
): Promise<number> {
  await mkdir(dirname(path), { recursive: true })
  return write(path, { record, signer, place: rename })
}

/**
 * The same to a path that a user chose: nothing may stand there, and its folder must exist. Rejects with TARGET_EXISTS,
 * PATH_NOT_FOUND, or PATH_FAILED when the system refuses.
 */
export async function writeNewRecord(
  path: string,
  record: RecordInit,
  signer: Signer
): Promise<number> {
  try {
    if (!(await stat(dirname(path))).isDirectory()) throw folderMissing(path)
    if (await exists(path)) throw targetExists(path)
    return await write(path, { record, signer, place: placeNew })
  } catch (cause) {
    throw pathError(path, cause)
  }
}

type Writing = {
  readonly record: RecordInit
  readonly signer: Signer
  /** Gives the finished file its name. */
  readonly place: (temporary: string, path: string) => Promise<void>
}

async function write(path: string, { record, signer, place }: Writing): Promise<number> {
  const temporary = `${path}.${randomUUID()}.tmp`
  const bodies: Body[] = [
    { type: 'header', version: RECORD_VERSION, thread: CID.parse(record.thread), node: signer.did },
    ...record.items.map(bodyOf),
    { type: 'end', complete: record.complete }
  ]
  const file = await open(temporary, 'w', 0o600)
  try {
    let prev = ''
    for (const [seq, body] of bodies.entries()) {
      const unsigned = { seq, prev, body }
      const text = encodeLine({ ...unsigned, sig: signer.sign(lineSigningBytes(unsigned)) })
      prev = lineHash(text)
      await file.write(text)
      await file.write('\n')
    }
    await file.sync()
    await file.close()
    await place(temporary, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
  return bodies.length
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
