import type { LogEntry } from '../raft/index.ts'
import { batches } from './sync.ts'
import type { JournalRecord, Sighting } from './types.ts'

type Of<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>

/** Raft's part of one group: of hard states only the last counts, of entries those that no later record overwrote. */
type RaftImage = { hardState: Of<'hard-state'> | null; readonly entries: LogEntry[] }

/** A record, or an envelope as its thread holds it, so that it is held once. */
type Noted = JournalRecord | Sighting

/**
 * What the journal says, without what later records have made void. It is fed every record that is written or read back, and keeps by
 * default: a type of record that it knows nothing of stays, so that compaction never drops what binds (R20). Envelopes are
 * shared with the threads that hold them; what it adds is small.
 */
export class JournalImage {
  /** By thread id, group id, or slot, whichever a record names first; '' for none. In order of writing. */
  readonly #records = new Map<string, Noted[]>()
  readonly #raft = new Map<string, RaftImage>()
  /** The newest manifest of each agent. */
  readonly #manifests = new Map<string, Of<'envelope'>>()

  /** Takes a record that is no envelope. */
  note(record: Exclude<JournalRecord, { type: 'envelope' }>): void {
    switch (record.type) {
      case 'tombstone':
      case 'clock':
      case 'evidence':
        // The machine's own state has them.
        return
      case 'hard-state':
        this.#raftOf(record.group).hardState = record
        return
      case 'entries':
        return overwrite(this.#raftOf(record.group).entries, record.entries)
      default:
        this.#listOf(scopeOf(record)).push(record)
    }
  }

  noteEnvelope(thread: string, sighting: Sighting): void {
    this.#listOf(thread).push(sighting)
  }

  noteManifest(sender: string, record: Of<'envelope'>): void {
    this.#manifests.delete(sender)
    this.#manifests.set(sender, record)
  }

  forgetManifest(sender: string): void {
    this.#manifests.delete(sender)
  }

  /** Records about one thread, in order of writing; Raft's and those that name only a slot are not among them. */
  ofThread(thread: string): readonly JournalRecord[] {
    return (this.#records.get(thread) ?? []).map(recordOf)
  }

  forgetThread(thread: string, groups: Iterable<string>): void {
    this.#records.delete(thread)
    for (const group of groups) {
      this.#records.delete(group)
      this.#raft.delete(group)
    }
  }

  /** Drops what only names a slot and this epoch: a tombstone covers it now. */
  forgetEpoch(slot: string, epoch: number): void {
    const records = this.#records.get(slot) ?? []
    const kept = records.filter(record => !('epoch' in record) || record.epoch !== epoch)
    if (kept.length === 0) this.#records.delete(slot)
    else this.#records.set(slot, kept)
  }

  /** Everything of now, such that restoring it is restoring the journal, however late it is read; `threads` say the order of threads. */
  records(threads: Iterable<string>): Iterable<JournalRecord> {
    const held: Held[] = []
    const done = new Set<string>()
    for (const thread of threads) {
      done.add(thread)
      held.push(heldNow(this.#records.get(thread) ?? []))
    }
    for (const [scope, records] of this.#records) if (!done.has(scope)) held.push(heldNow(records))
    const raft = [...this.#raft].map(([group, { hardState, entries }]) => ({
      group,
      hardState,
      entries: [...entries]
    }))
    return recordsIn([...this.#manifests.values()], held, raft)
  }

  #listOf(scope: string): Noted[] {
    const known = this.#records.get(scope)
    if (known !== undefined) return known
    const fresh: Noted[] = []
    this.#records.set(scope, fresh)
    return fresh
  }

  #raftOf(group: string): RaftImage {
    const known = this.#raft.get(group)
    if (known !== undefined) return known
    const fresh: RaftImage = { hardState: null, entries: [] }
    this.#raft.set(group, fresh)
    return fresh
  }
}

/** A list of records that only grows, as long as it was when somebody looked. */
type Held = { readonly records: readonly Noted[]; readonly length: number }

function heldNow(records: readonly Noted[]): Held {
  return { records, length: records.length }
}

function recordOf(noted: Noted): JournalRecord {
  if (!('admitted' in noted)) return noted
  return { type: 'envelope', bytes: noted.admitted.bytes, atMs: noted.seenAt }
}

function* recordsIn(
  manifests: readonly JournalRecord[],
  held: readonly Held[],
  raft: readonly (RaftImage & { readonly group: string })[]
): Iterable<JournalRecord> {
  yield* manifests
  for (const { records, length } of held)
    for (let at = 0; at < length; at++) yield recordOf(records[at] as Noted)
  for (const { group, hardState, entries } of raft) {
    // In parts: a whole log is more than one record may be.
    for (const part of batches(entries, entry => entry.data.length + 16))
      yield { type: 'entries', group, entries: part }
    if (hardState !== null) yield hardState
  }
}

/** A later record of an index stands for it and all that followed. */
export function overwrite(entries: LogEntry[], later: readonly LogEntry[]): void {
  const first = later[0]
  if (first === undefined) return
  while ((entries.at(-1)?.index ?? 0) >= first.index) entries.pop()
  for (const entry of later) entries.push(entry)
}

function scopeOf(record: JournalRecord): string {
  if ('thread' in record) return record.thread
  if ('group' in record) return record.group
  return 'slot' in record ? record.slot : ''
}
