import { assert } from '../base/index.ts'
import { COMMITTED_PER_READY_MAX } from './limits.ts'
import type { LogEntry, LogIndex, Term } from './types.ts'

/** What became of entries that a leader sent. */
export type AcceptOutcome =
  /** The log now holds all of them. */
  | 'accepted'
  /** The entry before the first one is missing or of another term. */
  | 'mismatch'
  /** They contradict a committed entry. No leader of this group says that; the message is void. */
  | 'contradiction'

/**
 * The log and how far it is persisted, committed and handed out. Always
 * `handedOut <= commit <= lastIndex` and `persisted <= lastIndex`.
 */
export class RaftLog {
  /** Entry `i` is at position `i - 1`. */
  readonly #entries: LogEntry[]
  /** Highest index up to which the disk is known to hold exactly this log. */
  #persisted: LogIndex
  /** What `#persisted` becomes when the batch that is out has been written. */
  #persisting: LogIndex
  #commit: LogIndex = 0
  #handedOut: LogIndex = 0

  /** `entries` come from the disk: contiguous from 1, terms not falling. */
  constructor(entries: readonly LogEntry[]) {
    this.#entries = [...entries]
    this.#persisted = entries.length
    this.#persisting = entries.length
  }

  get lastIndex(): LogIndex {
    return this.#entries.length
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? 0
  }

  get commit(): LogIndex {
    return this.#commit
  }

  get persisted(): LogIndex {
    return this.#persisted
  }

  /** Term of the entry at `index`; 0 before the first one; undefined beyond the last one. */
  termAt(index: LogIndex): Term | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.term
  }

  /** Entries `from` to `to`, both included, as far as they exist. */
  slice(from: LogIndex, to: LogIndex): LogEntry[] {
    return this.#entries.slice(Math.max(from, 1) - 1, Math.max(to, 0))
  }

  /** The longest run from `from` on within the limits; always one entry when there is one. */
  run(from: LogIndex, limits: { readonly entries: number; readonly bytes: number }): LogEntry[] {
    const run: LogEntry[] = []
    let bytes = 0
    for (let i = from - 1; i < this.#entries.length && run.length < limits.entries; i++) {
      const entry = this.#entries[i] as LogEntry
      bytes += entry.data.length
      if (run.length > 0 && bytes > limits.bytes) break
      run.push(entry)
    }
    return run
  }

  /** First index whose term is `term` or higher; one past the end when there is none. Terms never fall along a log. */
  firstIndexFromTerm(term: Term): LogIndex {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle] as LogEntry).term < term) low = middle + 1
      else high = middle
    }
    return low + 1
  }

  /** 5.4.1: the log with the later last term is more up-to-date; of equal terms, the longer log is. */
  isUpToDate(lastTerm: Term, lastIndex: LogIndex): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex)
  }

  /** A leader's own new entry. */
  append(term: Term, data: Uint8Array): LogEntry {
    assert(term >= this.lastTerm, 'terms never fall along the log')
    const entry: LogEntry = { term, index: this.lastIndex + 1, data }
    this.#entries.push(entry)
    return entry
  }

  /** [RAFT-18] [RAFT-19] AppendEntries 2-4: only a conflict truncates, so that a late message never removes what a later one added. */
  accept(previousIndex: LogIndex, previousTerm: Term, entries: readonly LogEntry[]): AcceptOutcome {
    if (this.termAt(previousIndex) !== previousTerm) return 'mismatch'
    const firstNew = entries.find(entry => this.termAt(entry.index) !== entry.term)
    if (firstNew === undefined) return 'accepted'
    if (firstNew.index <= this.#commit) return 'contradiction'
    // Whatever follows the conflict was of the old branch and goes with it; without a conflict nothing follows.
    this.#truncate(firstNew.index)
    for (const entry of entries) {
      if (entry.index >= firstNew.index) this.#entries.push(entry)
    }
    return 'accepted'
  }

  /** Moves commit forward, never back and never beyond the log. True when it moved. */
  commitTo(index: LogIndex): boolean {
    const target = Math.min(index, this.lastIndex)
    if (target <= this.#commit) return false
    this.#commit = target
    return true
  }

  /** Entries that the disk lacks. They count as being written until `batchWritten`. */
  takeUnpersisted(): LogEntry[] {
    this.#persisting = this.lastIndex
    return this.slice(this.#persisted + 1, this.lastIndex)
  }

  /** The batch taken last is on the disk; what was truncated since then is not counted. */
  batchWritten(): void {
    assert(this.#persisting <= this.lastIndex, 'the log never ends before what is being written')
    this.#persisted = Math.max(this.#persisted, this.#persisting)
  }

  /** [RAFT-5] Committed entries not yet handed out: each once, in order. */
  takeCommitted(): LogEntry[] {
    const to = Math.min(this.#commit, this.#handedOut + COMMITTED_PER_READY_MAX)
    const entries = this.slice(this.#handedOut + 1, to)
    this.#handedOut = to
    return entries
  }

  #truncate(from: LogIndex): void {
    assert(from > this.#commit, 'a committed entry is never removed')
    this.#entries.length = from - 1
    this.#persisted = Math.min(this.#persisted, from - 1)
    this.#persisting = Math.min(this.#persisting, from - 1)
  }
}

/**
 * Rebuilds a log from persisted batches: adds one batch in place, after dropping everything at or after its first index
 * (`Ready.entries`). Used by whoever replays a journal.
 */
export function replayBatch(log: LogEntry[], batch: readonly LogEntry[]): void {
  const first = batch[0]
  if (first === undefined) return
  if (first.index - 1 < log.length) log.length = first.index - 1
  for (const entry of batch) log.push(entry)
}
