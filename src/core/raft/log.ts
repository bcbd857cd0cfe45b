import { assert } from '../base/index.ts'
import { ConfigurationHistory, plainConfiguration } from './configuration.ts'
import { COMMITTED_PER_READY_MAX } from './limits.ts'
import type { Configuration, LogEntry, LogIndex, MemberId, Snapshot, Term } from './types.ts'

/** What became of entries that a leader sent. */
export type AcceptOutcome =
  /** The log now holds all of them. */
  | 'accepted'
  /** The entry before the first one is missing or of another term. */
  | 'mismatch'
  /** They contradict a committed entry. No leader of this group says that; the message is void. */
  | 'contradiction'

export type LogInit = {
  /** Covers everything before `entries`. */
  readonly snapshot?: Snapshot | undefined
  /** Voters before any snapshot or entry says otherwise. */
  readonly members?: readonly MemberId[]
}

/**
 * The log behind its snapshot, and how far it is persisted, committed and handed out. Always
 * `applied <= handedOut <= commit <= lastIndex`, `baseIndex <= handedOut` and `persisted <= lastIndex`.
 */
export class RaftLog {
  readonly configurations: ConfigurationHistory
  /** Position of the last entry that the snapshot covers; (0, 0) without one. */
  #base: { readonly index: LogIndex; readonly term: Term }
  /** Entry `base.index + 1 + i` is at position `i`. */
  #entries: LogEntry[]
  /** Highest index up to which the disk is known to hold exactly this log. */
  #persisted: LogIndex
  /** What `#persisted` becomes when the batch that is out has been written. */
  #persisting: LogIndex
  #commit: LogIndex
  #handedOut: LogIndex
  /** As `#persisting` and `#persisted`: what the caller has, and has certainly, applied. */
  #applying: LogIndex
  #applied: LogIndex

  /** `entries` come from the disk: contiguous from the snapshot's or from 1, terms not falling. */
  constructor(entries: readonly LogEntry[], init: LogInit = {}) {
    const { snapshot } = init
    const { index, term } = snapshot ?? { index: 0, term: 0 }
    this.#base = { index, term }
    this.#entries = [...entries]
    this.#persisted = this.lastIndex
    this.#persisting = this.lastIndex
    this.#commit = index
    this.#handedOut = index
    this.#applying = index
    this.#applied = index
    const configuration = snapshot?.configuration ?? plainConfiguration(init.members ?? [])
    this.configurations = new ConfigurationHistory({ index, configuration })
    for (const entry of entries) this.#noteConfiguration(entry)
  }

  /** Entries up to here are in the snapshot only. */
  get baseIndex(): LogIndex {
    return this.#base.index
  }

  get lastIndex(): LogIndex {
    return this.#base.index + this.#entries.length
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#base.term
  }

  get commit(): LogIndex {
    return this.#commit
  }

  get persisted(): LogIndex {
    return this.#persisted
  }

  /** The caller has applied everything up to here: a snapshot may cover it. */
  get applied(): LogIndex {
    return this.#applied
  }

  /** Term of the entry at `index`; 0 before the first one; undefined beyond the last one and where only the snapshot knows. */
  termAt(index: LogIndex): Term | undefined {
    return index === this.#base.index ? this.#base.term : this.#at(index)?.term
  }

  /** Entries `from` to `to`, both included, as far as they exist. */
  slice(from: LogIndex, to: LogIndex): LogEntry[] {
    const first = this.#base.index + 1
    return this.#entries.slice(Math.max(from - first, 0), Math.max(to - first + 1, 0))
  }

  /** The longest run from `from` on within the limits; always one entry when there is one. */
  run(from: LogIndex, limits: { readonly entries: number; readonly bytes: number }): LogEntry[] {
    assert(from > this.#base.index, 'a run starts behind the snapshot')
    const run: LogEntry[] = []
    let bytes = 0
    for (
      let i = from - this.#base.index - 1;
      i < this.#entries.length && run.length < limits.entries;
      i++
    ) {
      const entry = this.#entries[i] as LogEntry
      bytes += entry.data.length
      if (run.length > 0 && bytes > limits.bytes) break
      run.push(entry)
    }
    return run
  }

  /** First index behind the snapshot whose term is `term` or higher; one past the end when there is none. Terms never fall along a log. */
  firstIndexFromTerm(term: Term): LogIndex {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle] as LogEntry).term < term) low = middle + 1
      else high = middle
    }
    return this.#base.index + low + 1
  }

  /** 5.4.1: the log with the later last term is more up-to-date; of equal terms, the longer log is. */
  isUpToDate(lastTerm: Term, lastIndex: LogIndex): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex)
  }

  /** A leader's own new entry. */
  append(term: Term, data: Uint8Array, configuration?: Configuration): LogEntry {
    assert(term >= this.lastTerm, 'terms never fall along the log')
    const index = this.lastIndex + 1
    const entry: LogEntry =
      configuration === undefined ? { term, index, data } : { term, index, data, configuration }
    this.#push(entry)
    return entry
  }

  /** [RAFT-18] [RAFT-19] AppendEntries 2-4: only a conflict truncates, so that a late message never removes what a later one added. */
  accept(previousIndex: LogIndex, previousTerm: Term, entries: readonly LogEntry[]): AcceptOutcome {
    const { index, term } = this.#base
    // What the snapshot covers is committed: there is nothing to compare, except at its end.
    const covered = entries.find(entry => entry.index === index)
    if (covered !== undefined && covered.term !== term) return 'contradiction'
    if (previousIndex >= index && this.termAt(previousIndex) !== previousTerm) return 'mismatch'
    const firstNew = entries.find(
      entry => entry.index > index && this.termAt(entry.index) !== entry.term
    )
    if (firstNew === undefined) return 'accepted'
    if (firstNew.index <= this.#commit) return 'contradiction'
    // Whatever follows the conflict was of the old branch and goes with it; without a conflict nothing follows.
    this.#truncate(firstNew.index)
    for (const entry of entries) if (entry.index >= firstNew.index) this.#push(entry)
    return 'accepted'
  }

  /** Moves commit forward, never back and never beyond the log. True when it moved. */
  commitTo(index: LogIndex): boolean {
    const target = Math.min(index, this.lastIndex)
    if (target <= this.#commit) return false
    this.#commit = target
    return true
  }

  /** Section 7: a snapshot of the applied state covers everything up to `index`, and the entries go. */
  compact(index: LogIndex): void {
    assert(index <= this.#applied, 'only what was applied is in a snapshot')
    const term = this.termAt(index)
    assert(term !== undefined, 'a snapshot ends at an entry that is still there')
    this.#entries = this.slice(index + 1, this.lastIndex)
    this.#base = { index, term }
    this.configurations.compact(index)
  }

  /** Section 7: a leader's snapshot replaces the whole log. */
  install(snapshot: Snapshot): void {
    const { index, term } = snapshot
    assert(index > this.#commit, 'a snapshot never takes the place of a newer log')
    this.#base = { index, term }
    this.#entries = []
    this.#persisted = index
    this.#persisting = index
    this.#commit = index
    this.#handedOut = index
    this.configurations.install(index, snapshot.configuration)
  }

  /** Entries that the disk lacks. They count as being written until `batchWritten`. */
  takeUnpersisted(): LogEntry[] {
    this.#persisting = this.lastIndex
    return this.slice(this.#persisted + 1, this.lastIndex)
  }

  /** The batch taken last is on the disk, and applied; what was truncated since then is not counted. */
  batchWritten(): void {
    assert(this.#persisting <= this.lastIndex, 'the log never ends before what is being written')
    this.#persisted = Math.max(this.#persisted, this.#persisting)
    this.#applied = this.#applying
  }

  /** [RAFT-5] Committed entries not yet handed out: each once, in order. */
  takeCommitted(): LogEntry[] {
    const to = Math.min(this.#commit, this.#handedOut + COMMITTED_PER_READY_MAX)
    const entries = this.slice(this.#handedOut + 1, to)
    this.#handedOut = to
    this.#applying = to
    return entries
  }

  #at(index: LogIndex): LogEntry | undefined {
    return this.#entries[index - this.#base.index - 1]
  }

  #push(entry: LogEntry): void {
    this.#entries.push(entry)
    this.#noteConfiguration(entry)
  }

  #noteConfiguration({ index, configuration }: LogEntry): void {
    if (configuration !== undefined) this.configurations.add(index, configuration)
  }

  #truncate(from: LogIndex): void {
    assert(from > this.#commit, 'a committed entry is never removed')
    this.#entries.length = from - this.#base.index - 1
    this.#persisted = Math.min(this.#persisted, from - 1)
    this.#persisting = Math.min(this.#persisting, from - 1)
    this.configurations.truncate(from)
  }
}

/**
 * Rebuilds a log from persisted batches: adds one batch in place, after dropping everything at or after its first index
 * (`Ready.entries`). Used by whoever replays a journal.
 */
export function replayBatch(log: LogEntry[], batch: readonly LogEntry[]): void {
  const first = batch[0]
  if (first === undefined) return
  const kept = first.index - (log[0]?.index ?? first.index)
  if (kept < log.length) log.length = Math.max(kept, 0)
  for (const entry of batch) log.push(entry)
}

/** What a persisted snapshot leaves of the stored log, in place: what follows an entry that the snapshot ends with, otherwise nothing. */
export function replaySnapshot(log: LogEntry[], snapshot: Snapshot): void {
  const at = log.findIndex(entry => entry.index === snapshot.index)
  if (at >= 0 && log[at]?.term === snapshot.term) log.splice(0, at + 1)
  else if (log[0]?.index !== snapshot.index + 1) log.length = 0
}
