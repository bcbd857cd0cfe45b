import { parseEnvelope, type Verb } from '../core/envelope/index.ts'
import { type JournalRecord, SEEN_ONLY } from '../core/swarm/index.ts'
import type { Uncertified } from '../history/index.ts'
import type { ArchiveEntry } from '../ports/index.ts'
import { archivedParts, decodeSummary } from '../runtime/index.ts'

/** Envelopes that bind or prove something whoever keeps them (R20): with them a thread is kept. */
const BINDING: ReadonlySet<Verb> = new Set([
  'FORM',
  'DECIDE',
  'FINALIZE',
  'INVALIDATE',
  'CHALLENGE'
])

/** What compaction asks of an archived thread that ended without a certificate; `did` is this node. */
export function uncertifiedEnd(entry: ArchiveEntry, did: string): Uncertified {
  const summary = decodeSummary(entry.summary)
  const endedAt = Math.max(entry.openedAt, summary.ok ? summary.value.expiresAt : 0)
  // What another release wrote may be anything: it is kept.
  return { endedAt, isIdle: summary.ok && isIdle(entry, did) }
}

function isIdle(entry: ArchiveEntry, did: string): boolean {
  for (const part of archivedParts(entry))
    for (const record of part) if (!record.ok || !isOnlySeen(record.value, did)) return false
  return true
}

/** Whether this record says nothing of what this node did, and binds nobody. */
function isOnlySeen(record: JournalRecord, did: string): boolean {
  if (!SEEN_ONLY.has(record.type)) return false
  if (record.type !== 'envelope') return true
  const parsed = parseEnvelope(record.bytes)
  if (!parsed.ok) return false
  const { sender, verb } = parsed.value.envelope
  return sender !== did && !BINDING.has(verb)
}
