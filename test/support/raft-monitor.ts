/**
 * Watches a cluster from outside and knows nothing of how a member works: the five properties of the paper's Figure 3, plus what the
 * batches promise (hand-out exactly once, nothing said that is not on disk).
 */
import type { HardState, LogEntry, MemberId, Raft, RaftMessage } from '../../src/core/raft/index.ts'

export type PropertyName =
  | 'election safety'
  | 'leader append-only'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'hand-out'
  | 'durability'
  | 'liveness'

export class Violation extends Error {
  readonly property: PropertyName

  constructor(property: PropertyName, message: string) {
    super(`${property}: ${message}`)
    this.property = property
  }
}

type Seen = { readonly data: Uint8Array; readonly previousTerm: number }
type Committed = { readonly entry: LogEntry; readonly inTerm: number }
type Leading = { readonly id: MemberId; last: LogEntry | undefined }

export class RaftMonitor {
  readonly #leaders = new Map<number, Leading>()
  readonly #entries = new Map<string, Seen>()
  readonly #committed: Committed[] = []

  get committedCount(): number {
    return this.#committed.length
  }

  get leaderCount(): number {
    return this.#leaders.size
  }

  /** Called after every action on a member. */
  member(id: MemberId, raft: Raft): void {
    const { role, term, lastIndex } = raft.status()
    if (role !== 'leader') return
    const leading = this.#leaders.get(term)
    const last = raft.entries(lastIndex, lastIndex)[0]
    if (leading === undefined) {
      for (const committed of this.#committed) holdsCommitted(id, raft, committed)
      this.#leaders.set(term, { id, last })
      return
    }
    if (leading.id !== id)
      throw new Violation('election safety', `${leading.id} and ${id} lead term ${term}`)
    const before = leading.last
    if (before !== undefined && raft.entries(before.index, before.index)[0] !== before) {
      throw new Violation(
        'leader append-only',
        `${id} changed its entry ${before.index} in term ${term}`
      )
    }
    leading.last = last
  }

  /** Entries that a member is about to write, and the term of the entry before them. */
  written(id: MemberId, entries: readonly LogEntry[], termBefore: number): void {
    let previousTerm = termBefore
    for (const entry of entries) {
      const key = `${entry.index}:${entry.term}`
      const seen = this.#entries.get(key)
      if (seen === undefined) this.#entries.set(key, { data: entry.data, previousTerm })
      else if (seen.data !== entry.data || seen.previousTerm !== previousTerm) {
        throw new Violation('log matching', `${id} holds another entry or prefix at ${key}`)
      }
      previousTerm = entry.term
    }
  }

  /** Entries that a member hands out; `applied` is how many it handed out since it started. */
  handedOut(id: MemberId, raft: Raft, applied: number, entries: readonly LogEntry[]): void {
    let expected = applied
    for (const entry of entries) {
      expected++
      if (entry.index !== expected)
        throw new Violation('hand-out', `${id} hands out ${entry.index}, not ${expected}`)
      const known = this.#committed[entry.index - 1]
      if (known === undefined) this.#committed.push({ entry, inTerm: raft.status().term })
      else if (known.entry.term !== entry.term || known.entry.data !== entry.data) {
        throw new Violation('state machine safety', `${id} applies another entry at ${entry.index}`)
      }
    }
  }

  /** A commit that a leader of a later term lacks is found as soon as both are known. */
  leadersHold(members: Iterable<readonly [MemberId, Raft]>, from: number): void {
    const fresh = this.#committed.slice(from)
    if (fresh.length === 0) return
    for (const [id, raft] of members) {
      if (raft.status().role !== 'leader') continue
      for (const committed of fresh) holdsCommitted(id, raft, committed)
    }
  }

  /** A promise that leaves must be on the sender's disk. */
  sent(
    message: RaftMessage,
    disk: { readonly hardState: HardState; readonly lastIndex: number }
  ): void {
    const { term, vote } = disk.hardState
    if (message.type === 'vote-reply' && message.granted) {
      const isKept = term > message.term || (term === message.term && vote === message.to)
      if (!isKept)
        throw new Violation(
          'durability',
          `${message.from} votes in ${message.term} without writing it down`
        )
    }
    if (message.type === 'append-reply' && message.success) {
      // In a later term a new leader may have cut the log already.
      const isKept = term > message.term || disk.lastIndex >= message.matchIndex
      if (!isKept)
        throw new Violation(
          'durability',
          `${message.from} acknowledges ${message.matchIndex} without holding it`
        )
    }
  }
}

function holdsCommitted(id: MemberId, raft: Raft, committed: Committed): void {
  const { entry, inTerm } = committed
  const { term } = raft.status()
  if (inTerm >= term) return
  if (raft.entries(entry.index, entry.index)[0]?.term !== entry.term) {
    throw new Violation(
      'leader completeness',
      `${id} leads term ${term} without entry ${entry.index} committed in ${inTerm}`
    )
  }
}
