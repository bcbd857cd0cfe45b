import { assert, equals, ok, type Result } from '../core/base/index.ts'
import {
  formatNote,
  parseCheckpoint,
  parseNote,
  type SignedNote
} from '../core/checkpoint/index.ts'
import {
  checkNotAhead,
  decodeLeaf,
  encodeLeaf,
  type Leaf,
  leafOf,
  leafStandsUntil,
  type Standing,
  standingOf
} from '../core/history/index.ts'
import { leafHash, MerkleTree } from '../core/merkle/index.ts'
import { type CertificateFile, encodeCertificateFile } from '../core/roster/index.ts'
import type { KeyValues, VerifySignature } from '../ports/index.ts'
import { firstThatFit } from './certified-leaf.ts'
import { HistoryDamagedError } from './errors.ts'
import { indexKey } from './keys.ts'
import { LEAVES_PER_ANSWER_MAX } from './limits.ts'
import type { CertifiedLeaf } from './messages.ts'

const LEAF = 'own/leaf/'
const CERTIFICATE = 'own/certificate/'
const THREAD = 'own/thread/'
const NOTE = 'own/note'
/** The newest checkpoint that had enough witnesses. */
const STABLE = 'own/stable'

/**
 * This node's log of the threads that ended with a certificate, in the order in which it kept them, on disk with their certificates. What
 * a checkpoint was signed for never changes: a log that does not lead to the newest signed root is refused at the start.
 */
export class OwnLog {
  readonly #store: KeyValues
  readonly #verify: VerifySignature
  readonly #nowMs: () => number
  readonly #tree = new MerkleTree()
  #note: SignedNote | null = null
  #stable: SignedNote | null = null
  /** Appends follow each other. */
  #work: Promise<unknown> = Promise.resolve()

  private constructor(store: KeyValues, verify: VerifySignature, nowMs: () => number) {
    this.#store = store
    this.#verify = verify
    this.#nowMs = nowMs
  }

  /** Reads the log. Rejects with HistoryDamagedError. */
  static async open(
    store: KeyValues,
    verify: VerifySignature,
    nowMs: () => number
  ): Promise<OwnLog> {
    const log = new OwnLog(store, verify, nowMs)
    for await (const [key, leaf] of store.range({ from: LEAF, to: `${LEAF}~` })) {
      if (key !== indexKey(LEAF, log.size))
        throw new HistoryDamagedError(`leaf ${log.size} is not there`)
      log.#tree.append(leafHash(leaf))
    }
    const kept = await store.get(NOTE)
    if (kept !== undefined) log.#note = log.#restored(kept)
    const stable = await store.get(STABLE)
    if (stable !== undefined) log.#stable = log.#restored(stable)
    return log
  }

  get size(): number {
    return this.#tree.size
  }

  /** Root of all leaves, or of the first `size`. */
  root(size: number = this.size): Uint8Array {
    return this.#tree.root(size)
  }

  /** The newest checkpoint that was signed, with the cosignatures that came; null before the first. */
  get note(): SignedNote | null {
    return this.#note
  }

  /** Leaves that the newest checkpoint covers. */
  get signedSize(): number {
    return this.#note === null ? 0 : sizeOf(this.#note)
  }

  /** The newest checkpoint that had enough witnesses, which may be older than `note`; null before the first. */
  get stable(): SignedNote | null {
    return this.#stable
  }

  /** Leaves that it covers. */
  get stableSize(): number {
    return this.#stable === null ? 0 : sizeOf(this.#stable)
  }

  /** Index of a thread's leaf. */
  async indexOf(thread: string): Promise<number | null> {
    const kept = await this.#store.get(THREAD + thread)
    return kept === undefined ? null : Number(new TextDecoder().decode(kept))
  }

  /** Adds a thread by its certified end, once; false when it is in the log. Durable when it resolves. Refusals: those of `leafOf`; `LEAF_AHEAD` where no witness would take it. */
  append(file: CertificateFile): Promise<Result<boolean>> {
    const appended = this.#work.then(() => this.#append(file))
    this.#work = appended.catch(() => undefined)
    return appended
  }

  /** Keeps a checkpoint of this log, before anybody sees it. */
  async keepNote(note: SignedNote): Promise<void> {
    assert(sizeOf(note) >= this.signedSize, 'a signed log never shrinks')
    await this.#store.write([{ type: 'put', key: NOTE, value: formatNote(note) }])
    this.#note = note
  }

  /** Keeps the checkpoint that enough witnesses cosigned. */
  async keepStable(note: SignedNote): Promise<void> {
    assert(sizeOf(note) >= this.stableSize, 'what is stable never shrinks')
    await this.#store.write([{ type: 'put', key: STABLE, value: formatNote(note) }])
    this.#stable = note
  }

  /** The leaves from one on and before another, as they are. */
  async *entries(from: number, to: number): AsyncGenerator<{ index: number; leaf: Leaf }> {
    const range = { from: indexKey(LEAF, from), to: indexKey(LEAF, to) }
    let index = from
    for await (const [, bytes] of this.#store.range(range)) {
      const leaf = decodeLeaf(bytes)
      if (!leaf.ok) throw new HistoryDamagedError(`leaf ${index}: ${leaf.refusal.message}`)
      yield { index: index++, leaf: leaf.value }
    }
  }

  /** The first leaf that binds anybody at this time; the size of the log where none does. What the newest checkpoint says is gone on from. */
  async standing(atMs: number): Promise<Standing> {
    const checkpoint = this.#note === null ? null : parseCheckpoint(this.#note.text)
    const said = checkpoint?.ok === true ? standingOf(checkpoint.value) : null
    let { from } = said?.ok === true && said.value !== null ? said.value : { from: 0 }
    for await (const { leaf } of this.entries(from, this.size)) {
      if (leafStandsUntil(leaf) > atMs) break
      from += 1
    }
    return { from, atMs }
  }

  /** What it takes to go on from the first `size` leaves; null where there are not so many. */
  peaks(size: number): Uint8Array[] | null {
    return size > this.size ? null : this.#tree.peaks(size)
  }

  /** The proof that the first `size` leaves begin with the first `from`; null where there are not so many. */
  consistency(from: number, size: number): Uint8Array[] | null {
    return size > this.size || from > size ? null : this.#tree.consistencyProof(from, size)
  }

  /** Leaves from one on that a checkpoint covers, as many as one answer holds. */
  leaves(from: number, certified: boolean): Promise<CertifiedLeaf[]> {
    return firstThatFit(this.#signed(from, certified))
  }

  async *#signed(from: number, certified: boolean): AsyncGenerator<CertifiedLeaf> {
    const to = indexKey(LEAF, this.signedSize)
    const limit = LEAVES_PER_ANSWER_MAX
    for await (const [key, leaf] of this.#store.range({ from: indexKey(LEAF, from), to, limit })) {
      const certificate = certified
        ? await this.#store.get(CERTIFICATE + key.slice(LEAF.length))
        : undefined
      yield { leaf, certificate: certificate ?? null }
    }
  }

  async #append(file: CertificateFile): Promise<Result<boolean>> {
    const made = leafOf(file, this.#verify)
    if (!made.ok) return made
    const ahead = checkNotAhead(made.value, this.#nowMs())
    if (!ahead.ok) return ahead
    const thread = made.value.need.toString()
    if ((await this.indexOf(thread)) !== null) return ok(false)
    await this.#write(thread, made.value, encodeCertificateFile(file))
    return ok(true)
  }

  async #write(thread: string, value: Leaf, certificate: Uint8Array): Promise<void> {
    const leaf = encodeLeaf(value)
    const { size } = this
    await this.#store.write([
      { type: 'put', key: indexKey(LEAF, size), value: leaf },
      { type: 'put', key: indexKey(CERTIFICATE, size), value: certificate },
      { type: 'put', key: THREAD + thread, value: new TextEncoder().encode(String(size)) }
    ])
    this.#tree.append(leafHash(leaf))
  }

  #restored(kept: Uint8Array): SignedNote {
    const note = parseNote(kept)
    const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note
    if (!note.ok || !checkpoint.ok) throw new HistoryDamagedError('its checkpoint cannot be read')
    const { size, root } = checkpoint.value
    if (size > BigInt(this.size))
      throw new HistoryDamagedError(`${size} leaves were signed and ${this.size} are here`)
    if (!equals(this.#tree.root(Number(size)), root))
      throw new HistoryDamagedError(`the first ${size} leaves do not lead to the signed root`)
    return note.value
  }
}

function sizeOf(note: SignedNote): number {
  const checkpoint = parseCheckpoint(note.text)
  assert(checkpoint.ok, 'a kept note is a checkpoint')
  return Number(checkpoint.value.size)
}
