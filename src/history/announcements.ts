import { toHex } from '../core/base/index.ts'
import { checkNote, formatOrigin, parseNote, type SignedNote } from '../core/checkpoint/index.ts'
import type { Exchange, Logger, VerifySignature } from '../ports/index.ts'
import { ANNOUNCED_MAX } from './limits.ts'
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
}

/**
 * The newest checkpoint that each node says it has, fetched from it as a signed note. What an envelope says counts for nothing until the note is here; a
 * witness compares the note with the log that it holds, which is how a node that shows others another log is found out.
 */
export class Announcements {
  readonly #init: AnnouncementsInit
  /** By origin, least recently heard of first. */
  readonly #notes = new Map<string, { readonly note: SignedNote; readonly size: bigint }>()
  readonly #asking = new Set<string>()

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
      const { notes } = await askPeer(this.#init.exchange, sender, { type: 'notes', origin })
      for (const bytes of notes) await this.#look(origin, bytes, { treeSize, root })
    } catch (error) {
      this.#init.logger.debug('an announced checkpoint was not to be had', {
        origin,
        error: String(error)
      })
    } finally {
      this.#asking.delete(origin)
    }
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
