import * as v from 'valibot'
import { ok, type Result, refuse } from '../core/base/index.ts'
import { decodeStrict, encode } from '../core/codec/index.ts'
import type { ArchivedThread, JournalRecord, ThreadSummary } from '../core/swarm/index.ts'
import type { ArchiveEntry } from '../ports/index.ts'
import { decodeRecord, encodeRecord } from './journal-codec.ts'
import { phase, sentence, shortText, uint } from './wire-fields.ts'

/** A line says `void` only where there is something to say, so that the others have the bytes that they always had. */
const summarySchema = v.strictObject({
  thread: shortText,
  slot: sentence,
  task: sentence,
  phase,
  reason: sentence,
  requester: shortText,
  expiresAt: uint,
  openedAt: uint,
  void: v.optional(
    v.nullable(v.strictObject({ evidence: shortText, epoch: uint, reason: sentence })),
    null
  )
}) satisfies v.GenericSchema<unknown, ThreadSummary>

/** An ended thread as the archive keeps it: canonical DAG-CBOR, the records as in the journal. */
export function encodeArchived({ summary, records }: ArchivedThread): ArchiveEntry {
  const { thread, openedAt } = summary
  const { void: voided, ...line } = summary
  const said = voided === null ? line : summary
  return { thread, openedAt, summary: encode(said), records: records.map(encodeRecord) }
}

/** The line of a list. A refusal means that another release wrote it. */
export function decodeSummary(encoded: Uint8Array): Result<ThreadSummary> {
  const value = decodeStrict(encoded)
  if (!value.ok) return value
  const parsed = v.safeParse(summarySchema, value.value)
  if (parsed.success) return ok(parsed.output)
  return refuse('ARCHIVE_UNKNOWN', `not of this release: ${v.summarize(parsed.issues)}`)
}

/** Bytes of records that are decoded at once: some milliseconds of work. */
const PART_BYTES: number = 256 * 1024

/** The records of a thread, in parts small enough that a node may take one after the other, with its live threads in between. */
export function* archivedParts(entry: ArchiveEntry): Iterable<readonly Result<JournalRecord>[]> {
  let part: Result<JournalRecord>[] = []
  let bytes = 0
  for (const encoded of entry.records) {
    part.push(decodeRecord(encoded))
    bytes += encoded.length
    if (bytes < PART_BYTES) continue
    yield part
    part = []
    bytes = 0
  }
  yield part
}
