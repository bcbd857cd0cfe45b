import { assert, ok, type Result, refuse } from '../core/base/index.ts'
import {
  type Checkpoint,
  type CheckpointFork,
  checkNote,
  cosignature,
  cosignedBytes,
  formatNote,
  parseCheckpoint,
  parseNote,
  type SignedNote
} from '../core/checkpoint/index.ts'
import {
  decodeLeaf,
  type Leaf,
  StandingCheck,
  standingOf,
  type WitnessedLog
} from '../core/history/index.ts'
import type { Clock, Exchange, Logger, Signer, VerifySignature } from '../ports/index.ts'
import { LeafFetcher } from './leaf-fetcher.ts'
import { FULL_WARNING_MS } from './limits.ts'
import type { AnswerTo } from './messages.ts'
import type { WitnessedLogs } from './witnessed-logs.ts'

export type WitnessInit = {
  readonly logs: WitnessedLogs
  readonly exchange: Exchange
  readonly signer: Signer
  readonly verify: VerifySignature
  readonly clock: Clock
  readonly logger: Logger
  /** Name of this node's network: logs of others are not witnessed. */
  readonly network: string
  /** Time after which a log of which no checkpoint was cosigned gives its place to another, in ms. */
  readonly idleMs: number
}

/**
 * Cosigns checkpoints of other nodes, each of which it recomputes first: it fetches the leaves that are new with the certificates that they come
 * from, checks every one, computes the root, and keeps all that on disk before it signs (R20).
 */
export class Witness {
  readonly #init: WitnessInit
  readonly #fetcher: LeafFetcher
  /** Checkpoints of one origin are judged one after the other. */
  readonly #busy = new Map<string, Promise<unknown>>()
  #warnedMs = Number.NEGATIVE_INFINITY

  constructor(init: WitnessInit) {
    this.#init = init
    this.#fetcher = new LeafFetcher(init)
  }

  /** Answers the node whose log it is; a checkpoint that a third one brings is not looked at. */
  async cosign(from: string, bytes: Uint8Array, signal: AbortSignal): Promise<AnswerTo<'cosign'>> {
    const parsed = parseNote(bytes)
    const checked = parsed.ok ? checkNote(parsed.value, this.#init.verify) : parsed
    if (!checked.ok) return declined(checked.refusal, 0)
    const { did, network, checkpoint } = checked.value
    if (did !== from || network !== this.#init.network)
      return declined({ code: 'CHECKPOINT_ORIGIN', message: 'only the own log is witnessed' }, 0)
    const before = this.#busy.get(checkpoint.origin) ?? Promise.resolve()
    const judged = before.then(() => this.#judge(from, checkpoint, { bytes, signal }))
    const settled = judged.catch(() => undefined)
    this.#busy.set(checkpoint.origin, settled)
    void settled.then(() => {
      if (this.#busy.get(checkpoint.origin) === settled) this.#busy.delete(checkpoint.origin)
    })
    return judged
  }

  /** Compares a note that nobody asks to cosign with the log that is held: a fork is kept as evidence. */
  async look(origin: string, bytes: Uint8Array): Promise<void> {
    const { logs, verify } = this.#init
    if ((await logs.note(origin)) === null) return
    const log = await logs.get(origin)
    const judged = await logs.judge(log, { bytes, news: [] }, verify)
    if (judged.ok && judged.value.kind === 'fork') await this.#keepFork(origin, judged.value.fork)
  }

  async #keepFork(origin: string, fork: CheckpointFork): Promise<void> {
    const { logs, verify, logger } = this.#init
    if (await logs.keepFork(origin, fork, verify))
      logger.warn('a node has signed two logs of ended threads; the proof is kept', {
        origin
      })
  }

  async #judge(
    from: string,
    checkpoint: Checkpoint,
    { bytes, signal }: { readonly bytes: Uint8Array; readonly signal: AbortSignal }
  ): Promise<AnswerTo<'cosign'>> {
    const { origin, size } = checkpoint
    // Others of this origin were before it, for a while.
    signal.throwIfAborted()
    const { logs, verify } = this.#init
    // It would take the place of another log, and has nothing to witness.
    if (size === 0n)
      return declined({ code: 'CHECKPOINT_LEAVES', message: 'a log without leaves' }, 0)
    const log = await logs.get(origin)
    if (await logs.isConvicted(origin, verify)) {
      const message = 'this log was rewritten before: nothing of it is witnessed any more'
      return declined({ code: 'CHECKPOINT_FORK', message }, log.size)
    }
    if (log.past !== null && size < log.least) {
      const message = `the checkpoint is older than one of ${log.least} leaves`
      return declined({ code: 'CHECKPOINT_ROLLBACK', message }, 0)
    }
    if (!(await logs.hasPlace(origin)) && (await this.#idlest()) === null)
      return this.#declinedFull(origin)
    const news = await this.#news(from, log, { checkpoint, signal })
    if (!news.ok) return declined(news.refusal, log.size)
    const judged = await logs.judge(log, { bytes, news: news.value }, verify)
    if (!judged.ok) return declined(judged.refusal, log.size)
    if (judged.value.kind === 'fork') {
      await this.#keepFork(origin, judged.value.fork)
      const message = 'this log contradicts a checkpoint that you signed before'
      return declined({ code: 'CHECKPOINT_FORK', message }, log.size)
    }
    const stands = await this.#checkStanding(log, judged.value.checked.checkpoint, news.value)
    if (!stands.ok) return declined(stands.refusal, log.size)
    // Only now: what does not hold takes no other log's place.
    if (!(await this.#makePlace(origin))) return this.#declinedFull(origin)
    const note = this.#signed(judged.value.note)
    // With this node's own line: whoever comes when the log's node is away counts witnesses by what each of them keeps.
    if (!(await logs.grow(log, note, news.value))) {
      const message = 'the log that is held has changed meanwhile: ask again'
      return declined({ code: 'CHECKPOINT_LEAVES', message }, log.size)
    }
    return { type: 'cosigned', note: formatNote(note) }
  }

  /** Where there is no place, the log that has been idle longest gives its own, if that is long enough. */
  async #makePlace(origin: string): Promise<boolean> {
    const { logs, logger } = this.#init
    if (await logs.hasPlace(origin)) return true
    const idle = await this.#idlest()
    if (idle === null || !(await logs.retire(idle))) return false
    logger.info('a log that was idle is not witnessed any more', { origin: idle })
    return true
  }

  #declinedFull(origin: string): AnswerTo<'cosign'> {
    const { clock, logger } = this.#init
    if (clock.nowMs() >= this.#warnedMs + FULL_WARNING_MS) {
      this.#warnedMs = clock.nowMs()
      logger.warn(FULL.message, { origin })
    }
    return declined(FULL, 0)
  }

  /** The log whose last cosignature is the oldest, and old enough. */
  async #idlest(): Promise<string | null> {
    const { logs, signer, clock, verify, idleMs } = this.#init
    let oldest: string | null = null
    let since = Math.floor((clock.nowMs() - idleMs) / 1000)
    for (const bytes of await logs.notes()) {
      const note = parseNote(bytes)
      const checked = note.ok ? checkNote(note.value, verify) : note
      if (!checked.ok || this.#busy.has(checked.value.checkpoint.origin)) continue
      const seconds = checked.value.witnesses.get(signer.did) ?? 0
      if (seconds > since) continue
      oldest = checked.value.checkpoint.origin
      since = seconds
    }
    return oldest
  }

  /** Of what a checkpoint says no longer binds, everything that the one before did not say is looked at. */
  async #checkStanding(
    log: WitnessedLog,
    checkpoint: Checkpoint,
    news: readonly Uint8Array[]
  ): Promise<Result<void>> {
    const before = log.note ?? log.past
    const held = before === null ? null : parseCheckpoint(before.text)
    const older = held?.ok === true ? held.value : null
    const begun = StandingCheck.begin(checkpoint, older, this.#init.clock.nowMs())
    if (!begun.ok) return begun
    const check = begun.value
    if (check === null) return ok(undefined)
    for await (const bytes of this.#init.logs.between(log.origin, check.from, check.to)) {
      const taken = check.take(read(bytes))
      if (!taken.ok) return taken
    }
    for (const bytes of news.slice(
      Math.max(0, check.from - log.size),
      Math.max(0, check.to - log.size)
    )) {
      const taken = check.take(read(bytes))
      if (!taken.ok) return taken
    }
    return check.end()
  }

  /** The leaves that a checkpoint has and the witnessed log lacks, each checked against its certificate. */
  async #news(
    from: string,
    log: WitnessedLog,
    { checkpoint, signal }: { readonly checkpoint: Checkpoint; readonly signal: AbortSignal }
  ): Promise<Result<readonly Uint8Array[]>> {
    const { size } = checkpoint
    const standing = standingOf(checkpoint)
    if (!standing.ok) return standing
    // What is held already is compared, whatever there is room for.
    if (size <= BigInt(log.size)) return ok([])
    const { from: first } = standing.value ?? { from: 0 }
    const max = BigInt(this.#init.logs.limits.leaves)
    if (size - BigInt(first) > max)
      return refuse('WITNESS_FULL', `a log of which at most ${max} leaves stand is witnessed`)
    if (size - BigInt(log.size) > max)
      return refuse('WITNESS_FULL', `a log of which at most ${max} leaves are new is witnessed`)
    const { logs } = this.#init
    const isReserved = logs.isReserved(log.origin)
    const request = { size: Number(size), signal, isReserved }
    // Before what is new is asked for, and for it.
    if (!(await logs.hasRoom(log.origin, 0))) return NO_ROOM
    const news = await this.#fetcher.fetch(from, log, request)
    if (!news.ok) return news
    const bytes = news.value.reduce((sum, { length }) => sum + length, 0)
    return (await logs.hasRoom(log.origin, bytes)) ? news : NO_ROOM
  }

  #signed({ text, signatures }: SignedNote): SignedNote {
    const { signer, clock, verify } = this.#init
    const seconds = Math.floor(clock.nowMs() / 1000)
    const own = cosignature(signer.did, seconds, signer.sign(cosignedBytes(text, seconds)))
    // Only the line that convicts the origin, should it sign another log: the others may be anybody's.
    const first = signatures.find(line => checkNote({ text, signatures: [line] }, verify).ok)
    assert(first !== undefined, 'a note that was judged is signed by its origin')
    return { text, signatures: [first, own] }
  }
}

const FULL = {
  code: 'WITNESS_FULL',
  message:
    'there is no place for a further log here: none that is witnessed has been idle for "history.witnessIdleDays"; nodes in "history.witnessFor" always have one'
}

const NO_ROOM: Result<never> = refuse(
  'WITNESS_FULL',
  'this node keeps as many leaves of others as it does: for nodes in "history.witnessFor" it keeps more'
)

/** A leaf that was recomputed here. */
function read(bytes: Uint8Array): Leaf {
  const leaf = decodeLeaf(bytes)
  assert(leaf.ok, 'a leaf that was recomputed is one')
  return leaf.value
}

function declined(
  { code, message }: { readonly code: string; readonly message: string },
  held: number
): AnswerTo<'cosign'> {
  return { type: 'declined', code, message, held }
}
