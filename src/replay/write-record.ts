import type { FileHandle } from 'node:fs/promises'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CID } from '../core/codec/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import type { Signer } from '../ports/index.ts'
import {
  type Body,
  bodyOf,
  encodeLine,
  lineHash,
  lineSigningBytes,
  RECORD_VERSION
} from './format.ts'
import { writeNew, writeWhole } from './new-file.ts'

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
  const bodies = bodiesOf(record, signer)
  await writeWhole(path, file => writeLines(file, bodies, signer))
  return bodies.length
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
  const bodies = bodiesOf(record, signer)
  await writeNew(path, file => writeLines(file, bodies, signer))
  return bodies.length
}

function bodiesOf(record: RecordInit, signer: Signer): readonly Body[] {
  return [
    { type: 'header', version: RECORD_VERSION, thread: CID.parse(record.thread), node: signer.did },
    ...record.items.map(bodyOf),
    { type: 'end', complete: record.complete }
  ]
}

async function writeLines(
  file: FileHandle,
  bodies: readonly Body[],
  signer: Signer
): Promise<void> {
  let prev = ''
  for (const [seq, body] of bodies.entries()) {
    const unsigned = { seq, prev, body }
    const text = encodeLine({ ...unsigned, sig: signer.sign(lineSigningBytes(unsigned)) })
    prev = lineHash(text)
    await file.write(text)
    await file.write('\n')
  }
}
