import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unixfs } from '@helia/unixfs'
import type { CID } from '../../core/codec/index.ts'
import { isKept } from './cid.ts'
import { ArtifactMalformedError, NotAFileError, TooLargeError, UnsafeNameError } from './errors.ts'
import { kindOf, readFile } from './file-reader.ts'
import { DAG_DEPTH_MAX, GET_ENTRIES_MAX } from './limits.ts'
import { type Meter, pathError, targetExists } from './local-paths.ts'
import type { Operation } from './operation.ts'

type Writing = { readonly operation: Operation; readonly meter: Meter; entries: number }

/** Writes a file or folder to `target`, which must not exist, inside a folder that does. What was written is removed on failure. */
export async function writeArtifact(
  operation: Operation,
  cid: CID,
  target: string,
  meter: Meter
): Promise<void> {
  await requireVacant(target)
  await operation.load(cid)
  const writing = { operation, meter, entries: 0 }
  let owned = false
  try {
    await writeNode(writing, cid, {
      target,
      depth: 0,
      onCreated: () => {
        owned = true
      }
    })
  } catch (cause) {
    // Somebody else's file is not ours to remove: only what this call created.
    if (owned) await rm(target, { recursive: true, force: true })
    throw pathError(target, cause)
  }
}

/** Rejects unless nothing is at the path and its parent folder exists. */
export async function requireVacant(target: string): Promise<void> {
  try {
    await stat(dirname(target))
  } catch (cause) {
    throw pathError(dirname(target), cause)
  }
  const taken = await stat(target).then(
    () => true,
    () => false
  )
  if (taken) throw targetExists(target)
}

type Place = { readonly target: string; readonly depth: number; readonly onCreated?: () => void }

async function writeNode(writing: Writing, cid: CID, place: Place): Promise<void> {
  writing.entries += 1
  if (writing.entries > GET_ENTRIES_MAX)
    throw new TooLargeError(`${cid} holds more than ${GET_ENTRIES_MAX} files and folders`)
  const kind = kindOf(cid, await writing.operation.load(cid))
  if (kind === 'file') return writeFile(writing, cid, place)
  if (kind === 'folder') return writeFolder(writing, cid, place)
  throw new NotAFileError(
    `${cid} is ${kind === 'symlink' ? 'a symbolic link' : 'data'}, neither file nor folder`,
    { cid: `${cid}`, kind }
  )
}

async function writeFile(writing: Writing, cid: CID, place: Place): Promise<void> {
  // 'wx' refuses what exists, so a name that comes twice in a hostile folder overwrites nothing.
  const file = await open(place.target, 'wx')
  place.onCreated?.()
  try {
    const load = (part: CID): Promise<Uint8Array> => writing.operation.load(part)
    for await (const bytes of readFile(cid, load, { start: 0, end: Number.POSITIVE_INFINITY })) {
      await file.writeFile(bytes)
      writing.meter.advance(bytes.length, place.target)
    }
  } finally {
    await file.close()
  }
  writing.meter.files += 1
}

async function writeFolder(writing: Writing, cid: CID, place: Place): Promise<void> {
  if (place.depth >= DAG_DEPTH_MAX)
    throw new TooLargeError(`folders nest deeper than ${DAG_DEPTH_MAX}`, { cid: `${cid}` })
  await mkdir(place.target)
  place.onCreated?.()
  for await (const entry of unixfs({ blockstore: writing.operation.view() }).ls(cid)) {
    requireSafeName(entry.name, cid)
    if (!isKept(entry.cid)) {
      throw new ArtifactMalformedError(`${entry.cid} has a hash or codec that is not kept here`, {
        block: `${entry.cid}`
      })
    }
    await writeNode(writing, entry.cid, {
      target: join(place.target, entry.name),
      depth: place.depth + 1
    })
  }
}

function requireSafeName(name: string, folder: CID): void {
  const escapes = name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)
  if (!escapes) return
  const shown = JSON.stringify(name.slice(0, 100))
  throw new UnsafeNameError(
    `the folder ${folder} has an entry named ${shown}, which could write elsewhere; nothing was kept`,
    {
      folder: folder.toString(),
      name: name.slice(0, 100)
    }
  )
}
