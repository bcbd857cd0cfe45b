import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
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

export type RecordInit = {
  readonly thread: string
  readonly items: readonly RecordItem[]
  readonly complete: boolean
}

/** Writes a thread's record as signed, hash-chained JSON Lines, whole or not at all. Returns the number of lines. */
export async function writeRecord(
  path: string,
  record: RecordInit,
  signer: Signer
): Promise<number> {
  await mkdir(dirname(path), { recursive: true })
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
    await rename(temporary, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
  return bodies.length
}
