import type { FileHandle } from 'node:fs/promises'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { concat } from '../core/base/index.ts'
import type { RecordItem } from '../core/swarm/index.ts'
import type { Signer } from '../ports/index.ts'
import {
  type Body,
  bodyOf,
  encodeLine,
  type Header,
  lineHash,
  PROTOCOL_VERSION,
  RECORD_VERSION
} from './format.ts'
import { writeNew, writeWhole } from './new-file.ts'

export type RecordInit = {
  readonly thread: string
  readonly items: readonly RecordItem[]
  readonly complete: boolean
  /** Text CID of the base capsule that the node judges messages by, and its `policyEngine`. */
  readonly base: string
  readonly engine: Uint8Array
  /** Blocks of the capsules that the record brings along, by text CID. */
  readonly blocks?: ReadonlyMap<string, Uint8Array>
}

const NEWLINE: Uint8Array = Uint8Array.of(10)

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
  let lines = 0
  await writeWhole(path, async file => {
    lines = await writeLines(file, bodiesOf(record, signer), signer)
  })
  return lines
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
  let lines = 0
  await writeNew(path, async file => {
    lines = await writeLines(file, bodiesOf(record, signer), signer)
  })
  return lines
}

function* bodiesOf(record: RecordInit, signer: Signer): Generator<Body> {
  yield headerOf(record, signer)
  for (const [cid, data] of record.blocks ?? []) yield { type: 'block', cid, data }
  for (const item of record.items) yield bodyOf(item)
  yield { type: 'end', complete: record.complete }
}

/** What a record or a log of this node begins with. */
export function headerOf(
  { thread, base, engine }: Pick<RecordInit, 'thread' | 'base' | 'engine'>,
  { did: node }: Pick<Signer, 'did'>
): Header {
  const version = RECORD_VERSION
  return { type: 'header', version, protocol: PROTOCOL_VERSION, thread, node, base, engine }
}

/** Returns the number of lines. Only the last is signed: its hash chain covers the others. */
async function writeLines(
  file: FileHandle,
  bodies: Iterable<Body>,
  signer: Signer
): Promise<number> {
  let prev = ''
  let seq = 0
  for (const body of bodies) {
    const isLast = body.type === 'end'
    const text = encodeLine({ seq, prev, body }, isLast ? bytes => signer.sign(bytes) : null)
    prev = lineHash(text)
    seq += 1
    await file.write(concat([text, NEWLINE]))
  }
  return seq
}
