import { equals, utf8 } from '../core/base/index.ts'
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
import {
  COSIGN_AGAIN_MAX,
  COSIGN_AGAIN_MS_MAX,
  COSIGN_AGAIN_MS_MIN,
  COSIGN_WORK_MS_MIN,
  FULL_WARNING_MS,
  UNWITNESSED_WARNING,
  WITNESSED_LEAVES_MAX,
  WITNESSES_ASKED_MAX
} from './limits.ts'
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
  /** DIDs of peers that may witness. */
  readonly witnesses: () => readonly string[]
  /** Those of them that are asked first. */
  readonly trusted: ReadonlySet<string>
  /** Cosignatures that make a checkpoint stable. */
  readonly quorum: number
  /** A checkpoint was signed, or got more cosignatures. */
  readonly changed: (note: SignedNote, witnesses: number) => void
}

/** Signs checkpoints of the own log, and collects what witnesses say of them. */
export class Checkpointer {
  readonly #init: CheckpointerInit
  /** Whether a peer has said what it holds of this log. */
  #isKnown = false
  #work: Promise<void> | null = null
  #stopped: string | null = null
  /** The log here is not what others hold: signing would fork it. */
  #isBehind = false
  /** Where among the peers the next questions begin. */
  #turn = 0
  /** Witnesses that have not come to the end of what is new. */
  readonly #busy = new Set<string>()
  #again = { count: 0, waitMs: COSIGN_AGAIN_MS_MIN }
  #cancel: () => void = () => undefined
  #isClosed = false
  #warnedMs = Number.NEGATIVE_INFINITY
  #onStable: () => Promise<void> = async () => undefined

  constructor(init: CheckpointerInit) {
    this.#init = init
  }

  /** Why no checkpoints are signed, or null. */
  get stopped(): string | null {
    return this.#stopped
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

  /** Who is told, and waited for, when another checkpoint has enough witnesses. */
  onStable(callback: () => Promise<void>): void {
    this.#onStable = callback
  }

  /** Signs what is new, and asks for cosignatures that are missing. One run at a time; never rejects. */
  run(): Promise<void> {
    return this.#once(() => this.#run())
  }

  /** Asks nobody again by itself from now on. */
  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  #once(work: () => Promise<void>): Promise<void> {
    this.#cancel()
    this.#work ??= work()
      .catch(error => this.#init.logger.warn('no checkpoint was made', { error: String(error) }))
      .finally(() => {
        this.#work = null
        this.#planAgain()
      })
    return this.#work
  }

  async #run(): Promise<void> {
    const { log } = this.#init
    this.#again.count = 0
    if (!this.#isKnown) await this.#lookBack()
    if (!this.#isKnown || this.#isBehind) return
    if (log.size > log.signedSize) await this.#sign()
    const room = Math.max(0, WITNESSES_ASKED_MAX - this.witnesses().size)
    if (log.note !== null) await this.#collect(log.note, this.#next(this.#missing(), room))
    this.#warn()
  }

  /** Long before a log is too much for a witness that is new to it. */
  #warn(): void {
    const { log, clock, logger } = this.#init
    const leaves = log.size - log.stableSize
    if (leaves < UNWITNESSED_WARNING || clock.nowMs() < this.#warnedMs + FULL_WARNING_MS) return
    this.#warnedMs = clock.nowMs()
    logger.warn(
      'no stable checkpoint covers very many ended threads, of which nothing is compacted; witnesses take no more than "most" at once: connect nodes that witness, or have this one named in "history.witnessFor" there',
      { leaves, most: WITNESSED_LEAVES_MAX }
    )
  }

  /** A witness that had no time for all that is new goes on there when it is asked again: at once where it has worked, else ever later. */
  #planAgain(): void {
    const { count, waitMs } = this.#again
    if (this.#busy.size === 0 || count >= COSIGN_AGAIN_MAX) return
    if (this.#isBehind || this.#isClosed) return
    this.#cancel()
    this.#cancel = this.#init.clock.after(waitMs, () => {
      void this.#once(async () => {
        const { note } = this.#init.log
        this.#again.count++
        const missing = this.#missing().filter(did => this.#busy.has(did))
        if (note !== null) await this.#collect(note, missing.slice(0, WITNESSES_ASKED_MAX))
      })
    })
  }

  /** Peers that have not cosigned the newest checkpoint. */
  #missing(): string[] {
    const { witnesses, signer } = this.#init
    const has = this.witnesses()
    return witnesses().filter(did => did !== signer.did && !has.has(did))
  }

  /** Some of these: those that are trusted first, and of each kind the next ones each time, so that no peers that decline stand before the others for ever. */
  #next(dids: readonly string[], count: number): string[] {
    const { trusted } = this.#init
    const turned = (some: readonly string[]): string[] => {
      const start = some.length === 0 ? 0 : this.#turn % some.length
      return [...some.slice(start), ...some.slice(0, start)]
    }
    const first = turned(dids.filter(did => trusted.has(did)))
    const others = turned(dids.filter(did => !trusted.has(did)))
    this.#turn += WITNESSES_ASKED_MAX
    return [...first, ...others].slice(0, count)
  }

  /**
   * Before the first signature after a start: a node that was restored from an old copy would sign a second log under its key. Whoever
   * witnessed more than is here says so, and nothing is signed before somebody has said anything. Without peers nobody could see it either.
   */
  async #lookBack(): Promise<void> {
    const { log, witnesses, signer } = this.#init
    const peers = witnesses().filter(did => did !== signer.did)
    const asked = this.#next(peers, WITNESSES_ASKED_MAX).map(did => this.#compare(did))
    const answers = await Promise.allSettled(asked)
    if (answers.some(({ status }) => status === 'fulfilled')) this.#isKnown = true
    if (this.#isBehind) return
    const waits = !this.#isKnown && log.size > log.signedSize
    this.#stopped = waits ? 'waits for a peer to say what it holds of this log' : null
  }

  /** Asks a peer for its notes of this log; true when one shows that signing would fork it. Rejects as `askPeer`. */
  async #compare(did: string): Promise<boolean> {
    const { origin, exchange, logger } = this.#init
    const { notes } = await askPeer(exchange, did, { type: 'notes', origin })
    const [reason] = notes.flatMap(bytes => this.#contradiction(bytes) ?? [])
    if (reason === undefined) return false
    if (this.#isBehind) return true
    this.#isBehind = true
    this.#stopped = reason
    logger.error(
      'no checkpoints are signed: stop the other node that runs with this key, or restore history/ from its newest copy; where there is none, go on with a new key',
      { reason, did }
    )
    return true
  }

  /** What a note under this node's signature says that this log does not. */
  #contradiction(bytes: Uint8Array): string | null {
    const { log, origin, verify } = this.#init
    const note = parseNote(bytes)
    const checked = note.ok ? checkNote(note.value, verify) : note
    if (!checked.ok || checked.value.checkpoint.origin !== origin) return null
    const { size, root } = checked.value.checkpoint
    if (size > BigInt(log.signedSize))
      return `others hold a checkpoint of ${size} leaves, this node has signed ${log.signedSize}`
    return equals(root, log.root(Number(size)))
      ? null
      : `others hold a checkpoint of ${size} leaves that is not of this log`
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

  async #collect(note: SignedNote, dids: readonly string[]): Promise<void> {
    const { log } = this.#init
    const bytes = formatNote({ text: note.text, signatures: note.signatures.slice(0, 1) })
    const sinceMs = this.#init.clock.nowMs()
    for (const did of dids) this.#busy.delete(did)
    const answers = await Promise.allSettled(dids.map(did => this.#ask(did, bytes)))
    const hasWorked = this.#init.clock.nowMs() >= sinceMs + COSIGN_WORK_MS_MIN
    const waitMs = hasWorked ? COSIGN_AGAIN_MS_MIN : 2 * this.#again.waitMs
    this.#again.waitMs =
      this.#busy.size === 0 ? COSIGN_AGAIN_MS_MIN : Math.min(waitMs, COSIGN_AGAIN_MS_MAX)
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
    const before = log.stable?.text
    if (count >= this.#init.quorum) await log.keepStable(grown)
    this.#init.changed(grown, count)
    if (log.stable !== null && log.stable.text !== before) await this.#onStable()
  }

  /** What a peer cosigns; null when it declines. */
  async #ask(did: string, note: Uint8Array): Promise<{ did: string; bytes: Uint8Array } | null> {
    const { exchange, logger } = this.#init
    const answer = await askPeer(exchange, did, { type: 'cosign', note })
    if (answer.type === 'cosigned') return { did, bytes: answer.note }
    const { code, message } = answer
    logger.debug('a witness declines', { did, code, message })
    if (code === 'WITNESS_BUSY') this.#busy.add(did)
    const isAgainst = code === 'CHECKPOINT_FORK' || code === 'CHECKPOINT_ROLLBACK'
    // Its word alone stops nothing: what this node has signed does.
    if (isAgainst && !(await this.#compare(did)))
      logger.warn('a witness declines, and shows no checkpoint of this node that says why', {
        did,
        code
      })
    return null
  }

  #isCosignature({ text, signatures }: SignedNote, line: NoteSignature, did: string): boolean {
    const alone = { text, signatures: [...signatures.slice(0, 1), line] }
    const checked = checkNote(alone, this.#init.verify)
    return checked.ok && checked.value.witnesses.has(did)
  }
}
