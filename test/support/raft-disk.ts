/** The disk under one member: it keeps what was synced; of a batch that was being written, nothing, a part, or all may be there after a crash. */
import {
  type HardState,
  type LogEntry,
  type LogIndex,
  type RaftInit,
  type Ready,
  replayBatch,
  replaySnapshot,
  type Snapshot
} from '../../src/core/raft/index.ts'
import type { SeededRandom } from './seeded-random.ts'

/** Ways in which the shell around a correct member may be broken. */
export type ShellFaults = {
  readonly forgetsVote?: boolean
  readonly sendsFirst?: boolean
  readonly losesSynced?: boolean
}

type Stored = {
  readonly hardState: HardState
  readonly log: LogEntry[]
  readonly snapshot: Snapshot | null
}

/** Told of entries that are written, and of the term of the entry before them. */
type OnWritten = (entries: readonly LogEntry[], termBefore: number) => void

export class RaftDisk {
  readonly #faults: ShellFaults
  readonly #onWritten: OnWritten
  #stored: Stored = { hardState: { term: 0, vote: null, commit: 0 }, log: [], snapshot: null }
  /** A hard state that was written but not synced. */
  #cached: HardState | null = null
  /** What was there before the last synced batch: for the disk that lies. */
  #before: Stored | null = null

  constructor(faults: ShellFaults, onWritten: OnWritten) {
    this.#faults = faults
    this.#onWritten = onWritten
  }

  get hardState(): HardState {
    return this.#stored.hardState
  }

  get log(): readonly LogEntry[] {
    return this.#stored.log
  }

  get snapshot(): Snapshot | null {
    return this.#stored.snapshot
  }

  get lastIndex(): LogIndex {
    const { log, snapshot } = this.#stored
    return log.at(-1)?.index ?? snapshot?.index ?? 0
  }

  /** What a member starts from; undefined on an empty disk. */
  get restored(): RaftInit['restored'] {
    const { hardState, log, snapshot } = this.#stored
    if (this.lastIndex === 0 && hardState.term === 0) return undefined
    return { hardState, entries: [...log], ...(snapshot === null ? {} : { snapshot }) }
  }

  write(batch: Ready): void {
    if (!batch.mustSync) {
      this.#cached = batch.hardState ?? this.#cached
      return
    }
    this.#before = { ...this.#stored, log: [...this.#stored.log] }
    this.#storeSnapshot(batch.snapshot)
    this.#storeEntries(batch.entries)
    this.#storeHardState(batch.hardState ?? this.#cached)
    this.#cached = null
  }

  /** `writing` is a batch that was taken and not persisted. */
  crash(random: SeededRandom, writing: Ready | null): void {
    if (random.chance(0.5)) this.#storeHardState(this.#cached)
    this.#cached = null
    if (writing !== null) this.#tear(random, writing)
    if (this.#faults.losesSynced === true && this.#before !== null) this.#stored = this.#before
    this.#before = null
  }

  /** Records reach the disk in the order of the contract: the snapshot, entries one by one, and the hard state after them. */
  #tear(random: SeededRandom, batch: Ready): void {
    if (random.chance(0.5)) return
    const count = random.below(batch.entries.length + 1)
    this.#storeSnapshot(batch.snapshot)
    this.#storeEntries(batch.entries.slice(0, count))
    if (count === batch.entries.length && random.chance(0.5)) this.#storeHardState(batch.hardState)
  }

  #storeSnapshot(snapshot: Snapshot | null): void {
    if (snapshot === null) return
    this.#stored = { ...this.#stored, snapshot }
    replaySnapshot(this.#stored.log, snapshot)
  }

  #storeEntries(entries: readonly LogEntry[]): void {
    const [first] = entries
    if (first === undefined) return
    this.#onWritten(entries, this.#termAt(first.index - 1))
    replayBatch(this.#stored.log, entries)
  }

  #storeHardState(hardState: HardState | null): void {
    if (hardState === null) return
    const { term, commit } = hardState
    const vote = this.#faults.forgetsVote === true ? null : hardState.vote
    this.#stored = { ...this.#stored, hardState: { term, vote, commit } }
  }

  #termAt(index: LogIndex): number {
    const { log, snapshot } = this.#stored
    if (index === snapshot?.index) return snapshot.term
    return log[index - (log[0]?.index ?? 1)]?.term ?? 0
  }
}
