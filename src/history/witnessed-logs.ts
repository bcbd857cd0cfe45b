import type { Result } from '../core/base/index.ts'
import {
  type CheckpointFork,
  formatNote,
  parseCheckpoint,
  parseNote,
  type SignedNote
} from '../core/checkpoint/index.ts'
import { type Judgement, WitnessedLog } from '../core/history/index.ts'
import { type Blocks, BlockTree, leafHash, type MerkleTree } from '../core/merkle/index.ts'
import type { KeyValues, KeyValueWrite, VerifySignature } from '../ports/index.ts'
import { firstThatFit } from './certified-leaf.ts'
import { HistoryDamagedError } from './errors.ts'
import { KeptBytes } from './kept-bytes.ts'
import { KeptForks } from './kept-forks.ts'
import { indexKey } from './keys.ts'
import {
  FORKS_MAX,
  LEAF_BYTES_TYPICAL,
  LEAVES_PER_ANSWER_MAX,
  ORIGINS_MAX,
  PAST_MAX,
  TREES_MAX,
  WITNESSED_BYTES_MAX,
  WITNESSED_LEAVES_MAX,
  WITNESSED_SHARE_BYTES
} from './limits.ts'
import type { CertifiedLeaf } from './messages.ts'
import { WitnessedTrees } from './witnessed-trees.ts'

const LOG = 'witnessed/leaf/'
const NOTE = 'witnessed/note/'
/** The newest note of each log that was let go of. */
const PAST = 'witnessed/past/'
/** Leaves that are deleted in one write. */
const DELETED_AT_ONCE = 1_000

/** Leaves of one log that are kept, and that may stand or be new; bytes of leaves of all logs, and of one in any case; forks of logs that are not witnessed. */
export type WitnessedLimits = {
  readonly leaves: number
  readonly bytes: number
  readonly share: number
  readonly forks: number
}

const LIMITS: WitnessedLimits = {
  leaves: WITNESSED_LEAVES_MAX,
  bytes: WITNESSED_BYTES_MAX,
  share: WITNESSED_SHARE_BYTES,
  forks: FORKS_MAX
}

/** Other nodes' logs that this node has recomputed: every leaf, and the newest checkpoint that it cosigned. */
export class WitnessedLogs {
  /** Of what is kept. */
  readonly limits: WitnessedLimits
  readonly #store: KeyValues
  readonly #reserved: ReadonlySet<string>
  readonly #trees: WitnessedTrees
  readonly #bytes: KeptBytes
  readonly #forks: KeptForks
  /** Least recently used first. */
  readonly #logs = new Map<string, WitnessedLog>()
  /** Origins whose leaves are being deleted. */
  readonly #clearing = new Map<string, Promise<void>>()
  readonly #reading = new Map<string, Promise<WitnessedLog>>()

  /** `reserved`: origins whose logs have a place also where there is none any more. */
  constructor(
    store: KeyValues,
    reserved: ReadonlySet<string> = new Set(),
    limits: Partial<WitnessedLimits> = {}
  ) {
    this.#store = store
    this.limits = { ...LIMITS, ...limits }
    this.#reserved = reserved
    this.#trees = new WitnessedTrees(store)
    const { bytes: all, share, forks: max } = this.limits
    this.#bytes = new KeptBytes(store, reserved, { all, share })
    const isWitnessed = async (origin: string): Promise<boolean> =>
      ((await this.note(origin)) ?? (await this.past(origin))) !== null
    this.#forks = new KeptForks({ store, max, isWitnessed })
  }

  /** Whether the log of an origin is held, or there is a place for it. */
  async hasPlace(origin: string): Promise<boolean> {
    if (this.#reserved.has(origin) || (await this.note(origin)) !== null) return true
    return (await this.#count(NOTE)) < ORIGINS_MAX
  }

  /** The log of an origin, empty when it is new. */
  async get(origin: string): Promise<WitnessedLog> {
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

  async #read(origin: string): Promise<WitnessedLog> {
    const note = await this.note(origin)
    // What a crash has left of a log that was let go of. One that is new is not remembered before it has grown: it would take the place of another tree.
    if (note === null) {
      await this.#clear(origin)
      const past = await this.past(origin)
      return new WitnessedLog({ origin, tree: new BlockTree(), note, past })
    }
    const checkpoint = parseCheckpoint(note.text)
    if (!checkpoint.ok) throw new HistoryDamagedError(checkpoint.refusal.message)
    const size = Number(checkpoint.value.size)
    const tree = await this.#trees.read(origin, size, () => this.between(origin, 0, size))
    const log = new WitnessedLog({ origin, tree, note })
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
    const tree = log.tree()
    const rows = await this.#trees.grow(log.origin, tree, leaves)
    const [held, past] = [await this.note(log.origin), await this.past(log.origin)]
    if (held?.text !== log.note?.text || past?.text !== log.past?.text) {
      this.#logs.delete(log.origin)
      return false
    }
    const changes: KeyValueWrite[] = leaves.map((value, at) => ({
      type: 'put',
      key: indexKey(prefixOf(log.origin), log.size + at),
      value
    }))
    const bytes = (await this.#bytesOf(log)) + bytesIn(leaves)
    for (const row of rows) changes.push(row)
    changes.push(this.#bytes.put(log.origin, bytes))
    changes.push({ type: 'put', key: NOTE + log.origin, value: formatNote(note) })
    if (past !== null) changes.push({ type: 'del', key: PAST + log.origin })
    await this.#store.write(changes)
    log.accept(note, tree)
    this.#remember(log)
    const dropped = await this.#deleteLeaves([prefixOf(log.origin)], log.size - this.limits.leaves)
    if (dropped > 0) await this.#store.write([this.#bytes.put(log.origin, bytes - dropped)])
    return true
  }

  /** Whether a place is kept for the log of an origin, without limits but those of one log. */
  isReserved(origin: string): boolean {
    return this.#reserved.has(origin)
  }

  /** Whether there is room for so many bytes more of a log. */
  hasRoom(origin: string, bytes: number): Promise<boolean> {
    return this.#bytes.hasRoom(origin, bytes)
  }

  /** Older versions have not counted. */
  async #bytesOf({ origin, size }: WitnessedLog): Promise<number> {
    const counted = await this.#bytes.of(origin)
    return counted ?? Math.min(size, this.limits.leaves) * LEAF_BYTES_TYPICAL
  }

  /** Judges a checkpoint of a log, with the leaves that it has and the log lacks (`WitnessedLog.judge`). */
  async judge(
    log: WitnessedLog,
    { bytes, news }: { readonly bytes: Uint8Array; readonly news: readonly Uint8Array[] },
    verify: VerifySignature
  ): Promise<Result<Judgement>> {
    const note = parseNote(bytes)
    const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note
    const leaves = news.map(leafHash)
    const size = checkpoint.ok ? Number(checkpoint.value.size) : 0
    return log.judge(bytes, { leaves, blocks: await this.#blocks(log, [size]) }, verify)
  }

  /** What it takes to speak of these sizes, of the log as it is when this resolves. */
  async #blocks(log: WitnessedLog, sizes: readonly number[]): Promise<Blocks> {
    for (;;) {
      const { size } = log
      const blocks = new Map<number, MerkleTree>()
      for (const at of sizes) {
        const index = log.blockOf(at)
        if (index !== null) blocks.set(index, await this.#trees.block(log.origin, index))
      }
      if (log.size === size) return blocks
    }
  }

  /** The newest checkpoint of an origin that was cosigned here, or null. */
  async note(origin: string): Promise<SignedNote | null> {
    const kept = await this.#store.get(NOTE + origin)
    return kept === undefined ? null : parsed(kept)
  }

  /** The newest checkpoints by origin, of those after one. */
  async notes(
    page: { readonly after?: string | undefined; readonly limit?: number } = {}
  ): Promise<Uint8Array[]> {
    const from = page.after === undefined ? NOTE : `${NOTE}${page.after}\0`
    const limit = page.limit === undefined ? {} : { limit: page.limit }
    const notes: Uint8Array[] = []
    for await (const [, note] of this.#store.range({ from, to: `${NOTE}~`, ...limit }))
      notes.push(note)
    return notes
  }

  /**
   * Lets go of a log for another one: its leaves, not what was cosigned of it, which the next checkpoint of that origin has to go on from. False, and nothing is
   * done, when so many were let go of that no further one can be remembered.
   */
  async retire(origin: string): Promise<boolean> {
    if ((await this.#count(PAST)) >= PAST_MAX) return false
    const note = await this.#store.get(NOTE + origin)
    if (note !== undefined)
      await this.#store.write([
        { type: 'put', key: PAST + origin, value: note },
        { type: 'del', key: NOTE + origin }
      ])
    this.#logs.delete(origin)
    await this.#clear(origin)
    return true
  }

  /** The newest checkpoint that was cosigned of a log that was let go of, or null. */
  async past(origin: string): Promise<SignedNote | null> {
    const kept = await this.#store.get(PAST + origin)
    return kept === undefined ? null : parsed(kept)
  }

  /** Who comes meanwhile waits for the same: what it writes afterwards must not be deleted. */
  #clear(origin: string): Promise<void> {
    const begun = this.#clearing.get(origin)
    if (begun !== undefined) return begun
    const prefixes = [prefixOf(origin), ...WitnessedTrees.prefixes(origin), KeptBytes.keyOf(origin)]
    const clearing = this.#deleteLeaves(prefixes)
      .then(() => undefined)
      .finally(() => this.#clearing.delete(origin))
    this.#clearing.set(origin, clearing)
    return clearing
  }

  /** All under these prefixes, or those before an index; their bytes. */
  async #deleteLeaves(prefixes: readonly string[], before?: number): Promise<number> {
    let bytes = 0
    if (before !== undefined && before <= 0) return bytes
    for (const from of prefixes) {
      const to = before === undefined ? `${from}~` : indexKey(from, before)
      for (;;) {
        const changes: KeyValueWrite[] = []
        const range = { from, to, limit: DELETED_AT_ONCE }
        for await (const [key, value] of this.#store.range(range)) {
          changes.push({ type: 'del', key })
          bytes += value.length
        }
        if (changes.length === 0) break
        await this.#store.write(changes)
      }
    }
    return bytes
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
    return size > log.size ? null : log.peaks(size, await this.#blocks(log, [size]))
  }

  /** The proof that the first `size` leaves of an origin begin with the first `from`; null where there are not so many. */
  async consistency(origin: string, from: number, size: number): Promise<Uint8Array[] | null> {
    if ((await this.note(origin)) === null) return null
    const log = await this.get(origin)
    if (size > log.size || from > size) return null
    return log.consistency(from, size, await this.#blocks(log, [from, size]))
  }

  async *#leavesFrom(origin: string, from: number): AsyncGenerator<CertifiedLeaf> {
    const prefix = prefixOf(origin)
    const range = { from: indexKey(prefix, from), to: `${prefix}~`, limit: LEAVES_PER_ANSWER_MAX }
    let index = from
    for await (const [key, leaf] of this.#store.range(range)) {
      // Of a very long log the first ones are not kept.
      if (key !== indexKey(prefix, index++)) return
      yield { leaf, certificate: null }
    }
  }

  /** Keeps proof that an origin signed two logs (`KeptForks.keep`). */
  keepFork(origin: string, fork: CheckpointFork, verify: VerifySignature): Promise<boolean> {
    return this.#forks.keep(origin, fork, verify)
  }

  /** Forks that were seen, by id. */
  forks(): Promise<{ id: string; bytes: Uint8Array }[]> {
    return this.#forks.all()
  }

  /** Whether a fork that was seen here convicts this origin. */
  isConvicted(origin: string, verify: VerifySignature): Promise<boolean> {
    return this.#forks.has(origin, verify)
  }

  async #count(prefix: string): Promise<number> {
    let count = 0
    for await (const _ of this.#store.range({ from: prefix, to: `${prefix}~` })) count++
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

function bytesIn(leaves: readonly Uint8Array[]): number {
  return leaves.reduce((sum, { length }) => sum + length, 0)
}
