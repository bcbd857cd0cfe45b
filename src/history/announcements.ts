import { toHex } from '../core/base/index.ts'
import { checkNote, formatOrigin, parseNote, type SignedNote } from '../core/checkpoint/index.ts'
import type { Exchange, Logger, VerifySignature } from '../ports/index.ts'
import { ANNOUNCED_ASKED_MAX, ANNOUNCED_MAX } from './limits.ts'
import { askPeer } from './peers.ts'
import type { Witness } from './witness.ts'

/** A CHECKPOINT that came over gossip. */
export type Announced = {
  readonly sender: string
  readonly treeSize: number
  /** Hex. */
  readonly root: string
}

export type AnnouncementsInit = {
  readonly exchange: Exchange
  readonly verify: VerifySignature
  readonly logger: Logger
  readonly network: string
  /** Looks at notes for forks; null where this node does not witness. */
  readonly witness: Witness | null
  /** DIDs of connected nodes. */
  readonly peers: () => readonly string[]
}

/**
 * The newest checkpoint that each node says it has, fetched as a signed note from it and from a few others, since it may tell each something else. What an envelope
 * says counts for nothing until the note is here; a witness compares the notes with the log that it holds, which is how a node that shows others another log is
 * found out.
 */
export class Announcements {
  readonly #init: AnnouncementsInit
  /** By origin, least recently heard of first. */
  readonly #notes = new Map<string, { readonly note: SignedNote; readonly size: bigint }>()
  readonly #asking = new Set<string>()
  /** Where among the peers the next question begins. */
  #turn = 0

  constructor(init: AnnouncementsInit) {
    this.#init = init
  }

  /** Checkpoints that were announced and fetched. */
  notes(): readonly SignedNote[] {
    return [...this.#notes.values()].map(({ note }) => note)
  }

  /** Fetches the note when it is news. Never rejects. */
  async take({ sender, treeSize, root }: Announced): Promise<void> {
    const origin = formatOrigin(this.#init.network, sender)
    const known = this.#notes.get(origin)
    if (known !== undefined && known.size >= BigInt(treeSize)) return
    // One question at a time to each: an author's envelopes must not make this node ask without end.
    if (this.#asking.has(origin) || this.#asking.size >= ANNOUNCED_MAX) return
    this.#asking.add(origin)
    try {
      const asked = [sender, ...this.#others(sender)].map(did => this.#ask(did, origin))
      for (const notes of await Promise.all(asked))
        for (const bytes of notes) await this.#look(origin, bytes, { treeSize, root })
    } catch (error) {
      this.#init.logger.warn('an announced checkpoint was not looked at', {
        origin,
        error: String(error)
      })
    } finally {
      this.#asking.delete(origin)
    }
  }

  async #ask(did: string, origin: string): Promise<readonly Uint8Array[]> {
    const { exchange, logger } = this.#init
    try {
      return (await askPeer(exchange, did, { type: 'notes', origin })).notes
    } catch (error) {
      logger.debug('a checkpoint was not to be had', { did, origin, error: String(error) })
      return []
    }
  }

  /** A few peers, each time the next ones, where there is a log to compare their notes with. */
  #others(sender: string): string[] {
    if (this.#init.witness === null) return []
    const peers = this.#init.peers().filter(did => did !== sender)
    const start = peers.length === 0 ? 0 : this.#turn % peers.length
    this.#turn += ANNOUNCED_ASKED_MAX
    return [...peers.slice(start), ...peers.slice(0, start)].slice(0, ANNOUNCED_ASKED_MAX)
  }

  async #look(
    origin: string,
    bytes: Uint8Array,
    { treeSize, root }: Pick<Announced, 'treeSize' | 'root'>
  ): Promise<void> {
    const { verify, witness, logger } = this.#init
    const note = parseNote(bytes)
    const checked = note.ok ? checkNote(note.value, verify) : note
    if (!note.ok || !checked.ok || checked.value.checkpoint.origin !== origin) return
    await witness?.look(origin, bytes)
    const { checkpoint } = checked.value
    if (checkpoint.size === BigInt(treeSize) && toHex(checkpoint.root) !== root)
      logger.warn('a node announces another root than it signs', { origin, size: treeSize })
    const known = this.#notes.get(origin)
    if (known !== undefined && known.size >= checkpoint.size) return
    this.#notes.delete(origin)
    this.#notes.set(origin, { note: note.value, size: checkpoint.size })
    const [oldest] = this.#notes.keys()
    if (this.#notes.size > ANNOUNCED_MAX && oldest !== undefined) this.#notes.delete(oldest)
  }
}
