/**
 * Watches a cluster from outside and knows nothing of how a member works: the five properties of the paper's Figure 3, plus what the
 * batches promise (hand-out exactly once, nothing said that is not on disk), what snapshots stand for, and where forwarded proposals come from.
 */
import type {
  Forwarded,
  HardState,
  LogEntry,
  LogIndex,
  MemberId,
  Raft,
  RaftMessage,
  Snapshot
} from '../../src/core/raft/index.ts'

export type PropertyName =
  | 'election safety'
  | 'leader append-only'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'hand-out'
  | 'durability'
  | 'forwarding'
  | 'quiescence'
  | 'liveness'

export class Violation extends Error {
  readonly property: PropertyName

  constructor(property: PropertyName, message: string) {
    super(`${property}: ${message}`)
    this.property = property
  }
}

/** The state that members apply entries to: a number that depends on all of them and their order. */
export type Applied = { readonly index: LogIndex; readonly digest: number }

export const NOTHING_APPLIED: Applied = { index: 0, digest: 0 }

const names = new WeakMap<object, number>()
let named = 0

/** Entries have shared buffers: they are told apart by object, not by content. */
function nameOf(data: object): number {
  const known = names.get(data) ?? ++named
  names.set(data, known)
  return known
}

export function applyEntry(before: Applied, { index, term, data }: LogEntry): Applied {
  const digest = (Math.imul(before.digest, 31) + Math.imul(term, 65_537) + nameOf(data)) | 0
  return { index, digest }
}

export function asSnapshotData({ index, digest }: Applied): Uint8Array {
  return new Uint8Array(Int32Array.of(index, digest).buffer)
}

export function fromSnapshotData(data: Uint8Array): Applied {
  const [index = 0, digest = 0] = new Int32Array(data.slice().buffer)
  return { index, digest }
}

type Seen = { readonly data: Uint8Array; readonly previousTerm: number }
type Committed = { readonly entry: LogEntry; readonly inTerm: number; readonly after: Applied }
type Leading = { readonly id: MemberId; last: LogEntry | undefined }

export class RaftMonitor {
  readonly #leaders = new Map<number, Leading>()
  readonly #entries = new Map<string, Seen>()
  readonly #committed: Committed[] = []
  readonly #forwards = new Map<Uint8Array, MemberId>()
  /** How often something happened: a harness in which it does not proves nothing about it. */
  readonly counts = { installs: 0, changes: 0, forwarded: 0, slept: 0, woken: 0 }

  get committedCount(): number {
    return this.#committed.length
  }

  get leaderCount(): number {
    return this.#leaders.size
  }

  /** Called after every action on a member. */
  member(id: MemberId, raft: Raft): void {
    const { role, term, firstIndex, lastIndex } = raft.status()
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
    const isHeld = before !== undefined && before.index >= firstIndex
    if (isHeld && raft.entries(before.index, before.index)[0] !== before) {
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

  /** Entries that a member hands out, which has applied everything up to `before`. Returns what it has applied then. */
  handedOut(id: MemberId, raft: Raft, before: Applied, entries: readonly LogEntry[]): Applied {
    let applied = before
    for (const entry of entries) {
      if (entry.index !== applied.index + 1)
        throw new Violation('hand-out', `${id} hands out ${entry.index}, not ${applied.index + 1}`)
      applied = applyEntry(applied, entry)
      const known = this.#committed[entry.index - 1]
      if (known === undefined) {
        this.#committed.push({ entry, inTerm: raft.status().term, after: applied })
        if (entry.configuration !== undefined) this.counts.changes++
      } else if (known.after.digest !== applied.digest) {
        throw new Violation('state machine safety', `${id} applies another entry at ${entry.index}`)
      }
    }
    return applied
  }

  /** A snapshot that a member puts in the place of what it applied. Returns what it has applied then. */
  installed(id: MemberId, snapshot: Snapshot): Applied {
    const applied = fromSnapshotData(snapshot.data)
    const known = this.#committed[snapshot.index - 1]
    const isRight =
      applied.index === snapshot.index &&
      known?.entry.term === snapshot.term &&
      known.after.digest === applied.digest
    if (!isRight)
      throw new Violation(
        'state machine safety',
        `${id} installs another state at ${snapshot.index}`
      )
    this.counts.installs++
    return applied
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
    if (message.type === 'forward') this.#forwards.set(message.data, message.from)
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

  /** What a leader is asked to propose. */
  forwarded({ from, data }: Forwarded): void {
    if (this.#forwards.get(data) !== from)
      throw new Violation('forwarding', `${from} forwarded nothing of the kind`)
    this.counts.forwarded++
  }
}

/** What a snapshot covers was checked when it was written. */
function holdsCommitted(id: MemberId, raft: Raft, committed: Committed): void {
  const { entry, inTerm } = committed
  const { term, firstIndex } = raft.status()
  if (inTerm >= term || entry.index < firstIndex) return
  if (raft.entries(entry.index, entry.index)[0]?.term !== entry.term) {
    throw new Violation(
      'leader completeness',
      `${id} leads term ${term} without entry ${entry.index} committed in ${inTerm}`
    )
  }
}
