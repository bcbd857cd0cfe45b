import { utf8 } from '../core/base/index.ts'
import {
  checkNote,
  formatCheckpoint,
  formatNote,
  type NoteSignature,
  originSignature,
  parseNote,
  type SignedNote
} from '../core/checkpoint/index.ts'
import { formatStanding } from '../core/history/index.ts'
import type { Clock, Exchange, Logger, Signer, VerifySignature } from '../ports/index.ts'
import { WITNESSES_ASKED_MAX } from './limits.ts'
import type { OwnLog } from './own-log.ts'
import { askPeer } from './peers.ts'

export type CheckpointerInit = {
  readonly log: OwnLog
  readonly origin: string
  readonly exchange: Exchange
  readonly signer: Signer
  readonly verify: VerifySignature
  readonly logger: Logger
  readonly clock: Clock
  /** DIDs of peers that may witness, in the order in which they are asked. */
  readonly witnesses: () => readonly string[]
  /** Cosignatures that make a checkpoint stable. */
  readonly quorum: number
  /** A checkpoint was signed, or got more cosignatures. */
  readonly changed: (note: SignedNote, witnesses: number) => void
}

/** Signs checkpoints of the own log, and collects what witnesses say of them. */
export class Checkpointer {
  readonly #init: CheckpointerInit
  #asked = false
  #work: Promise<void> | null = null
  /** The log here is behind what others hold: signing would fork it. */
  #behind: string | null = null

  constructor(init: CheckpointerInit) {
    this.#init = init
  }

  /** Why no checkpoints are signed, or null. */
  get stopped(): string | null {
    return this.#behind
  }

  /** Distinct witnesses of the newest checkpoint. */
  witnesses(): ReadonlyMap<string, number> {
    const { log, verify } = this.#init
    const checked = log.note === null ? null : checkNote(log.note, verify)
    return checked?.ok === true ? checked.value.witnesses : new Map()
  }

  /** Leaves that a checkpoint with enough witnesses covers. */
  stableSize(): number {
    return this.#init.log.stableSize
  }

  /** Signs what is new, and asks for cosignatures that are missing. One run at a time; never rejects. */
  run(): Promise<void> {
    this.#work ??= this.#run()
      .catch(error => this.#init.logger.warn('no checkpoint was made', { error: String(error) }))
      .finally(() => {
        this.#work = null
      })
    return this.#work
  }

  async #run(): Promise<void> {
    const { log } = this.#init
    if (!this.#asked) await this.#lookBack()
    if (this.#behind !== null) return
    if (log.size > log.signedSize) await this.#sign()
    if (log.note !== null) await this.#collect(log.note)
  }

  /**
   * Before the first signature after a start: a node that was restored from an old copy would sign a second log under its key. Whoever
   * witnessed more than is here says so.
   */
  async #lookBack(): Promise<void> {
    const { log, origin, exchange, witnesses, verify, logger } = this.#init
    const peers = witnesses().slice(0, WITNESSES_ASKED_MAX)
    if (peers.length === 0) return
    const question = { type: 'notes', origin } as const
    const answers = await Promise.allSettled(peers.map(did => askPeer(exchange, did, question)))
    for (const answer of answers) {
      if (answer.status === 'rejected') continue
      for (const bytes of answer.value.notes) {
        const note = parseNote(bytes)
        const checked = note.ok ? checkNote(note.value, verify) : note
        if (!checked.ok || checked.value.checkpoint.origin !== origin) continue
        if (checked.value.checkpoint.size > BigInt(log.signedSize))
          this.#behind = `others hold a checkpoint of ${checked.value.checkpoint.size} leaves, this node has signed ${log.signedSize}`
      }
    }
    if (this.#behind !== null)
      logger.error('no checkpoints are signed: restore history/ from a newer copy', {
        reason: this.#behind
      })
    this.#asked = true
  }

  async #sign(): Promise<void> {
    const { log, origin, signer, clock } = this.#init
    const standing = await log.standing(clock.nowMs())
    // Read after the wait: the log may have grown meanwhile.
    const size = BigInt(log.size)
    const extensions = [formatStanding(standing)]
    const text = formatCheckpoint({ origin, size, root: log.root(), extensions })
    const own = originSignature(origin, signer.did, signer.sign(utf8(text)))
    const note = { text, signatures: [own] }
    await log.keepNote(note)
    this.#init.changed(note, 0)
  }

  async #collect(note: SignedNote): Promise<void> {
    const { log, exchange, witnesses, logger, signer } = this.#init
    const has = this.witnesses()
    const missing = witnesses().filter(did => did !== signer.did && !has.has(did))
    const room = Math.max(0, WITNESSES_ASKED_MAX - has.size)
    const bytes = formatNote({ text: note.text, signatures: note.signatures.slice(0, 1) })
    const answers = await Promise.allSettled(
      missing.slice(0, room).map(async did => {
        const answer = await askPeer(exchange, did, { type: 'cosign', note: bytes })
        if (answer.type === 'cosigned') return { did, bytes: answer.note }
        logger.debug('a witness declines', { did, code: answer.code, message: answer.message })
        return null
      })
    )
    let { signatures } = note
    for (const answer of answers) {
      if (answer.status === 'rejected' || answer.value === null) continue
      const { did } = answer.value
      const given = parseNote(answer.value.bytes)
      if (!given.ok || given.value.text !== note.text) continue
      // Other lines in its answer may be of any length, and of keys that nobody knows.
      const line = given.value.signatures.find(one => this.#isCosignature(note, one, did))
      if (line === undefined) continue
      const grown = [...signatures, line]
      if (parseNote(formatNote({ text: note.text, signatures: grown })).ok) signatures = grown
    }
    if (signatures.length === note.signatures.length || log.note?.text !== note.text) return
    const grown = { text: note.text, signatures }
    await log.keepNote(grown)
    const count = this.witnesses().size
    if (count >= this.#init.quorum) await log.keepStable(grown)
    this.#init.changed(grown, count)
  }
  #isCosignature({ text, signatures }: SignedNote, line: NoteSignature, did: string): boolean {
    const alone = { text, signatures: [...signatures.slice(0, 1), line] }
    const checked = checkNote(alone, this.#init.verify)
    return checked.ok && checked.value.witnesses.has(did)
  }
}
