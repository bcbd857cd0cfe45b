import {
  type CheckpointFork,
  checkFork,
  decodeFork,
  encodeFork,
  formatNote,
  parseNote,
  type SignedNote
} from '../core/checkpoint/index.ts'
import { idOf } from '../core/codec/index.ts'
import { WitnessedLog } from '../core/history/index.ts'
import { leafHash } from '../core/merkle/index.ts'
import type { KeyValues, KeyValueWrite, VerifySignature } from '../ports/index.ts'
import { firstThatFit } from './certified-leaf.ts'
import { HistoryDamagedError } from './errors.ts'
import { indexKey } from './keys.ts'
import { LEAVES_PER_ANSWER_MAX, ORIGINS_MAX, TREES_MAX } from './limits.ts'
import type { CertifiedLeaf } from './messages.ts'

const LOG = 'witnessed/leaf/'
const NOTE = 'witnessed/note/'
const FORK = 'fork/'

/** Other nodes' logs that this node has recomputed: every leaf, and the newest checkpoint that it cosigned. */
export class WitnessedLogs {
  readonly #store: KeyValues
  /** Least recently used first. */
  readonly #logs = new Map<string, WitnessedLog>()
  readonly #reading = new Map<string, Promise<WitnessedLog | null>>()

  constructor(store: KeyValues) {
    this.#store = store
  }

  /** The log of an origin, empty when it is new; null when no further one is taken. */
  async get(origin: string): Promise<WitnessedLog | null> {
    const known = this.#logs.get(origin)
    if (known !== undefined) {
      this.#remember(known)
      return known
    }
    // Whoever asks meanwhile waits for the same one: of two objects, one would not know what the other cosigned.
    const begun = this.#reading.get(origin)
    if (begun !== undefined) return begun
    const reading = this.#read(origin).finally(() => this.#reading.delete(origin))
    this.#reading.set(origin, reading)
    return reading
  }

  async #read(origin: string): Promise<WitnessedLog | null> {
    const note = await this.note(origin)
    if (note === null && (await this.#count()) >= ORIGINS_MAX) return null
    const leaves: Uint8Array[] = []
    const from = prefixOf(origin)
    for await (const [, leaf] of this.#store.range({ from, to: `${from}~` }))
      leaves.push(leafHash(leaf))
    const log = new WitnessedLog({ origin, leaves, note })
    this.#remember(log)
    return log
  }

  #remember(log: WitnessedLog): void {
    this.#logs.delete(log.origin)
    this.#logs.set(log.origin, log)
    const [oldest] = this.#logs.keys()
    if (this.#logs.size > TREES_MAX && oldest !== undefined) this.#logs.delete(oldest)
  }

  /**
   * Writes what a log has grown by, then takes it in: durable before anybody hears of it (C2SP tlog-witness). One call at a time for an origin. False, and
   * nothing is written, when the log is not the one on disk: it left memory while it was in use, and another object of it has grown.
   */
  async grow(log: WitnessedLog, note: SignedNote, leaves: readonly Uint8Array[]): Promise<boolean> {
    const held = await this.note(log.origin)
    if (held?.text !== log.note?.text) {
      this.#logs.delete(log.origin)
      return false
    }
    const changes: KeyValueWrite[] = leaves.map((value, at) => ({
      type: 'put',
      key: indexKey(prefixOf(log.origin), log.size + at),
      value
    }))
    changes.push({ type: 'put', key: NOTE + log.origin, value: formatNote(note) })
    await this.#store.write(changes)
    log.accept(note, leaves.map(leafHash))
    this.#remember(log)
    return true
  }

  /** The newest checkpoint of an origin that was cosigned here, or null. */
  async note(origin: string): Promise<SignedNote | null> {
    const kept = await this.#store.get(NOTE + origin)
    return kept === undefined ? null : parsed(kept)
  }

  /** The newest checkpoints of all origins. */
  async notes(limit: number): Promise<Uint8Array[]> {
    const notes: Uint8Array[] = []
    for await (const [, note] of this.#store.range({ from: NOTE, to: `${NOTE}~`, limit }))
      notes.push(note)
    return notes
  }

  /** Leaves of an origin from one on, as many as one answer holds. A witness keeps no certificates: it checked them. */
  leaves(origin: string, from: number): Promise<CertifiedLeaf[]> {
    return firstThatFit(this.#leavesFrom(origin, from))
  }

  /** The leaves of an origin from one on and before another, as far as they are here. */
  async *between(origin: string, from: number, to: number): AsyncGenerator<Uint8Array> {
    const prefix = prefixOf(origin)
    const range = { from: indexKey(prefix, from), to: indexKey(prefix, to) }
    for await (const [, leaf] of this.#store.range(range)) yield leaf
  }

  /** What it takes to go on from the first `size` leaves of an origin; null where there are not so many. */
  async peaks(origin: string, size: number): Promise<Uint8Array[] | null> {
    if ((await this.note(origin)) === null) return null
    const log = await this.get(origin)
    return log === null || size > log.size ? null : log.peaks(size)
  }

  /** The proof that the first `size` leaves of an origin begin with the first `from`; null where there are not so many. */
  async consistency(origin: string, from: number, size: number): Promise<Uint8Array[] | null> {
    if ((await this.note(origin)) === null) return null
    const log = await this.get(origin)
    return log === null || size > log.size || from > size ? null : log.consistency(from, size)
  }

  async *#leavesFrom(origin: string, from: number): AsyncGenerator<CertifiedLeaf> {
    const prefix = prefixOf(origin)
    const range = { from: indexKey(prefix, from), to: `${prefix}~`, limit: LEAVES_PER_ANSWER_MAX }
    for await (const [, leaf] of this.#store.range(range)) yield { leaf, certificate: null }
  }

  /** Keeps proof that an origin signed two logs. */
  async keepFork(fork: CheckpointFork): Promise<void> {
    const value = encodeFork(fork)
    await this.#store.write([{ type: 'put', key: FORK + idOf(value), value }])
  }

  /** Forks that were seen, by id. */
  async forks(): Promise<{ id: string; bytes: Uint8Array }[]> {
    const found: { id: string; bytes: Uint8Array }[] = []
    for await (const [key, bytes] of this.#store.range({ from: FORK, to: `${FORK}~` }))
      found.push({ id: key.slice(FORK.length), bytes })
    return found
  }

  /** Whether a fork that is kept here convicts this origin. */
  async isConvicted(origin: string, verify: VerifySignature): Promise<boolean> {
    for (const { bytes } of await this.forks()) {
      const fork = decodeFork(bytes)
      const checked = fork.ok ? checkFork(fork.value, verify) : fork
      if (checked.ok && checked.value.origin === origin) return true
    }
    return false
  }

  async #count(): Promise<number> {
    let count = 0
    for await (const _ of this.#store.range({ from: NOTE, to: `${NOTE}~` })) count++
    return count
  }
}

function prefixOf(origin: string): string {
  return `${LOG}${origin}/`
}

function parsed(kept: Uint8Array): SignedNote {
  const note = parseNote(kept)
  if (!note.ok) throw new HistoryDamagedError(note.refusal.message)
  return note.value
}
