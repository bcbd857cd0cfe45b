import * as v from 'valibot'
import { assert, equals, utf8 } from '../core/base/index.ts'
import { type Checkpoint, type CheckpointFork, formatNote } from '../core/checkpoint/index.ts'
import { decodeStrict, encode } from '../core/codec/index.ts'
import { decodeLeaf, type Leaf, standingOf } from '../core/history/index.ts'
import { CompactTree, leafHash } from '../core/merkle/index.ts'
import type { Exchange, KeyValues, KeyValueWrite, Logger, VerifySignature } from '../ports/index.ts'
import { SyncFailedError } from './errors.ts'
import { indexKey } from './keys.ts'
import { SYNC_BYTES_MAX, SYNC_LOG_BYTES_MAX, SYNC_LOGS_MAX } from './limits.ts'
import { LoadedCheckpoints } from './loaded-checkpoints.ts'
import { LogSource, type Part } from './log-source.ts'
import { logsToLoad } from './logs-to-load.ts'
import { type Offer, Offers } from './offers.ts'
import { notesOf } from './peers.ts'

export type HistorySyncInit = {
  readonly store: KeyValues
  readonly exchange: Exchange
  readonly verify: VerifySignature
  readonly logger: Logger
  /** The clock, ms since 1970. */
  readonly nowMs: () => number
  readonly network: string
  /** Name of this node's own log: loaded only where it is asked for, since the node has it. */
  readonly own: string
  /** Cosignatures that a checkpoint needs to be loaded without its certificates. */
  readonly quorum: number
  /** Only these count as witnesses; empty: any. */
  readonly trusted: ReadonlySet<string>
  readonly peers: () => readonly string[]
  /** Whether it is proven here that this log was rewritten: nothing of it is taken. */
  readonly isConvicted: (origin: string) => Promise<boolean>
  /** Keeps the proof that a log was rewritten. */
  readonly keepFork: (origin: string, fork: CheckpointFork) => Promise<void>
  /** Takes in a part of the log: durable when it resolves. Leaves that are known already are passed over. */
  readonly load: (leaves: readonly Leaf[], from: { origin: string }) => Promise<void>
  readonly limits?: SyncLimits
}

/** Of one run: logs that are tried, bytes of leaves of one that was not asked for by name, bytes after which no further one is begun. */
export type SyncLimits = {
  readonly logs: number
  readonly log: number
  readonly bytes: number
}

const LIMITS: SyncLimits = { logs: SYNC_LOGS_MAX, log: SYNC_LOG_BYTES_MAX, bytes: SYNC_BYTES_MAX }

export type SyncRequest = {
  /** Only this node's log. */
  readonly origin?: string
  /** Check every certificate, whatever witnesses say. */
  readonly full?: boolean
  /** Load all leaves, also those that bind nobody any more. */
  readonly all?: boolean
  /** Forget what was loaded of `origin` before, which has to be named: where that cannot be read. */
  readonly anew?: boolean
  readonly progress?: (done: number, size: number) => void
}

/** A log of which all is here now that was wanted. */
export type SyncedLog = {
  readonly origin: string
  readonly size: number
  /** The first leaf that is here now: those before it bind nobody any more, by the word of the witnesses. */
  readonly from: number
  /** Leaves that were new here. */
  readonly loaded: number
  readonly witnesses: readonly string[]
  /** `checkpoint`: the word of k witnesses; `full`: every certificate was checked here. */
  readonly trust: 'checkpoint' | 'full'
}

/** The first log that was loaded, and all of them. */
export type SyncResult = SyncedLog & {
  readonly logs: readonly SyncedLog[]
  /** Logs that were offered and are not loaded, and why: their slots may be open here. */
  readonly failed: readonly { readonly origin: string; readonly reason: string }[]
}

const PROGRESS = 'sync/leaf/'
/** What the leaves that are here go on from, where the first ones are not. */
const BEGIN = 'sync/begin/'
/** How many of them, from the first on, had their certificates checked here. */
const CERTIFIED = 'sync/certified/'

const beginSchema = v.strictObject({
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  peaks: v.array(v.custom<Uint8Array>(value => value instanceof Uint8Array))
})

type How = SyncRequest & {
  readonly full: boolean
  /** Bytes of leaves that came so far, of all logs. */
  readonly spent: { bytes: number }
  readonly certified: Set<string>
}

/** Leaves that are here, from one on, and the tree up to the last of them. */
type Begun = {
  readonly tree: CompactTree
  readonly leaves: Leaf[]
  readonly from: number
  /** What has to be written with the first part that comes. */
  readonly writes: readonly KeyValueWrite[]
}

/**
 * A newcomer's way to what a network knows: of each log the newest checkpoint that enough witnesses cosigned, its leaves, and their root computed here. Without such a
 * checkpoint every leaf is checked by its own certificate. All logs that are offered are loaded, within bounds, since anybody can write one and have it witnessed: none
 * takes the place of another. What has come is kept, so that a cut costs nothing.
 */
export class HistorySync {
  readonly #init: HistorySyncInit
  readonly #before: LoadedCheckpoints

  constructor(init: HistorySyncInit) {
    this.#init = init
    this.#before = new LoadedCheckpoints(init.store, init.verify)
  }

  /** Rejects with SyncFailedError when no peer has anything that holds, with SyncMarkDamagedError when it cannot be told whether that is older than what is here. */
  async run(request: SyncRequest = {}): Promise<SyncResult> {
    const { anew = false } = request
    if (anew && request.origin === undefined)
      throw new SyncFailedError('a log that is to be loaded anew has to be named: --from DID')
    const offers = await this.#offers(request.origin)
    const stable = offers.filter(({ witnesses }) => witnesses.length >= this.#init.quorum)
    const full = request.full === true || stable.length === 0
    const { trusted, peers } = this.#init
    const known = { trusted, peers: new Set(peers()) }
    const wanted = logsToLoad(full ? offers : stable, known)
    if (wanted.length === 0) throw this.#nothing(request.origin)
    if (anew && request.origin !== undefined) await this.#forget(request.origin)
    return this.#loadAll(wanted, { ...request, full, spent: { bytes: 0 }, certified: new Set() })
  }

  async #loadAll(wanted: readonly (readonly Offer[])[], how: How): Promise<SyncResult> {
    const logs: SyncedLog[] = []
    const failed: { origin: string; reason: string }[] = []
    let first: unknown
    for (const [at, offers] of wanted.entries()) {
      const origin = offers[0]?.checked.checkpoint.origin ?? ''
      try {
        const { limits = LIMITS } = this.#init
        if (at >= limits.logs || how.spent.bytes >= limits.bytes) throw tooMuch(origin)
        logs.push(await this.#loadLog(offers, how))
      } catch (error) {
        first ??= error
        const reason = error instanceof Error ? error.message : String(error)
        failed.push({ origin, reason })
        if (wanted.length > 1)
          this.#init.logger.warn('a log that is offered is not loaded', { origin, reason })
      }
    }
    const [best] = logs
    if (best === undefined) throw first
    return { ...best, logs, failed }
  }

  /** By its newest checkpoint, or else by the next: the newest may be one that nobody has but a node that is away. */
  async #loadLog([newest, ...older]: readonly Offer[], how: How): Promise<SyncedLog> {
    assert(newest !== undefined, 'a log that is offered has a checkpoint')
    try {
      return await this.#load(newest, how)
    } catch (error) {
      for (const offer of older) {
        const { origin, size } = offer.checked.checkpoint
        const loaded = await this.#load(offer, how).catch(() => null)
        if (loaded === null) continue
        const reason = String(error)
        this.#init.logger.warn('an older state of a log is loaded', {
          origin,
          size: String(size),
          reason
        })
        return loaded
      }
      throw error
    }
  }

  async #forget(origin: string): Promise<void> {
    await this.#drop(origin)
    await this.#init.store.write([this.#before.forget(origin)])
  }

  /** Lets go of the leaves that are here of a log. */
  async #drop(origin: string): Promise<void> {
    const dels = (await this.#keys(origin)).map(key => ({ type: 'del', key }) as const)
    await this.#init.store.write(dels)
  }

  async #load(offer: Offer, how: How): Promise<SyncedLog> {
    const source = new LogSource({ ...this.#init, ...how, offer })
    await this.#checkRollback(offer, source)
    const { from, loaded } = await this.#follow(source, offer, how)
    const { origin, size } = offer.checked.checkpoint
    await this.#init.store.write([this.#before.put(origin, offer.note)])
    return {
      origin,
      size: Number(size),
      from,
      loaded,
      witnesses: offer.witnesses,
      trust: how.full ? 'full' : 'checkpoint'
    }
  }

  async #offers(origin: string | undefined): Promise<Offer[]> {
    const { exchange, peers, logger } = this.#init
    const offers = new Offers(this.#init)
    const ask = async (did: string): Promise<void> => {
      try {
        for await (const notes of notesOf(exchange, did, origin ?? null))
          for (const bytes of notes) offers.take(did, bytes)
      } catch (error) {
        logger.debug('a peer tells no checkpoints', { did, error: String(error) })
      }
    }
    await Promise.all(peers().map(ask))
    const wanted = offers
      .all()
      .filter(({ checked: { checkpoint } }) =>
        origin === undefined ? checkpoint.origin !== this.#init.own : checkpoint.origin === origin
      )
    await this.#keepForks(wanted)
    return this.#unconvicted(wanted)
  }

  /** Two checkpoints of one size and two roots convict their node, whoever has shown them. */
  async #keepForks(offers: readonly Offer[]): Promise<void> {
    const known = new Map<string, Offer>()
    for (const offer of offers) {
      const { origin, size, root } = offer.checked.checkpoint
      const other = known.get(`${origin} ${size}`)
      known.set(`${origin} ${size}`, other ?? offer)
      if (other === undefined || equals(other.checked.checkpoint.root, root)) continue
      const [older, newer] = [formatNote(other.note), formatNote(offer.note)]
      await this.#init.keepFork(origin, { older, newer, prefix: null })
    }
  }

  async #unconvicted(offers: readonly Offer[]): Promise<Offer[]> {
    const honest: Offer[] = []
    for (const offer of offers)
      if (!(await this.#init.isConvicted(offer.checked.checkpoint.origin))) honest.push(offer)
    if (honest.length > 0 || offers.length === 0) return honest
    throw new SyncFailedError(
      'each log that peers offer was rewritten by its node, the proof of which is kept here ("can-swarm evidence ls"): nothing of it is taken'
    )
  }

  /** What was loaded once is never replaced by less, or by what does not go on from it: an old checkpoint is valid for ever. */
  async #checkRollback({ note, checked }: Offer, source: LogSource): Promise<void> {
    const { origin, size, root } = checked.checkpoint
    const loaded = await this.#before.of(origin)
    if (loaded === null) return
    const before = loaded.checkpoint
    if (size < before.size)
      throw new SyncFailedError(
        `the newest checkpoint that peers offer has ${size} leaves, and one of ${before.size} was loaded before: they are behind, or hide what came since`,
        { origin }
      )
    if (size === before.size && !equals(root, before.root)) {
      const fork = { older: loaded.note, newer: formatNote(note), prefix: null }
      await this.#init.keepFork(origin, fork)
      throw new SyncFailedError(`${origin} has signed two logs of ${size} leaves`, { origin })
    }
    if (size > before.size && before.size > 0n && !(await source.beginsWith(before)))
      throw new SyncFailedError(
        `no peer shows that the log of ${origin} goes on from the ${before.size} leaves that were loaded before: they are away, or it was rewritten; nothing of it is taken`,
        { origin }
      )
  }

  /** Fetches the leaves that are missing here, up to the root that was signed, and loads all. */
  async #follow(
    source: LogSource,
    offer: Offer,
    how: How
  ): Promise<{ from: number; loaded: number }> {
    const kept = await this.#suitable(offer, how)
    if (kept === null)
      return this.#complete(source, offer, how, await this.#fresh(source, offer, how))
    try {
      return await this.#complete(source, offer, how, kept)
    } catch (error) {
      if (!source.isRefuted) throw error
    }
    // They cannot all lie, if what is here is of another log: it goes once there is something better.
    source.pardon()
    return this.#complete(source, offer, how, await this.#fresh(source, offer, how))
  }

  async #complete(
    source: LogSource,
    { checked }: Offer,
    how: How,
    begun: Begun
  ): Promise<{ from: number; loaded: number }> {
    const { origin, size } = checked.checkpoint
    const { limits = LIMITS } = this.#init
    const { leaves, from } = begun
    const prefix = `${PROGRESS}${origin}/`
    const known = leaves.length
    let { tree } = begun
    let writes = [...begun.writes]
    let bytes = 0
    while (tree.size < Number(size)) {
      const part = await source.part(tree)
      bytes += bytesOf(part)
      how.spent.bytes += bytesOf(part)
      if (how.origin === undefined && bytes > limits.log) {
        await this.#drop(origin)
        throw tooMuch(origin)
      }
      for (const [at, { bytes, leaf }] of part.leaves.entries()) {
        writes.push(put(indexKey(prefix, tree.size + at), bytes))
        leaves.push(leaf)
      }
      tree = part.tree
      if (how.full) writes.push(put(CERTIFIED + origin, utf8(String(tree.size))))
      await this.#init.store.write(writes)
      writes = []
      how.progress?.(tree.size - from, Number(size) - from)
    }
    if (writes.length > 0) await this.#init.store.write(writes)
    await this.#init.load(leaves, { origin })
    return { from, loaded: leaves.length - known }
  }

  /** What is here of a log already and can be gone on with; null when it is better begun anew. */
  async #suitable({ checked }: Offer, how: How): Promise<Begun | null> {
    const { origin, size, root } = checked.checkpoint
    const end = how.full ? await this.#certified(origin) : Number(size)
    const kept = await this.#kept(origin, end)
    if (kept === null) return null
    const isWhole = kept.from === 0 || !(how.full || how.all === true)
    if (!isWhole || kept.tree.size < standingIn(checked.checkpoint, how)) return null
    const isEnd = BigInt(kept.tree.size) === size
    return isEnd && !equals(kept.tree.root(), root) ? null : kept
  }

  /** What stands before the first leaf that is wanted. What is here goes when the first good part comes. */
  async #fresh(source: LogSource, { checked }: Offer, how: How): Promise<Begun> {
    const { origin } = checked.checkpoint
    const from = standingIn(checked.checkpoint, how)
    const writes: KeyValueWrite[] = (await this.#keys(origin)).map(key => ({ type: 'del', key }))
    if (from === 0) return { tree: new CompactTree(), leaves: [], from, writes }
    const { tree, peaks } = await source.peaks(from)
    writes.push(put(BEGIN + origin, encode({ size: from, peaks })))
    return { tree, leaves: [], from, writes }
  }

  /** The leaves that are here, but for those from `end` on; null where there are none. */
  async #kept(origin: string, end: number): Promise<Begun | null> {
    const { store } = this.#init
    const begin = readBegin(await store.get(BEGIN + origin))
    if (begin === null) return null
    const { tree, from } = begin
    const prefix = `${PROGRESS}${origin}/`
    const leaves: Leaf[] = []
    for await (const [key, bytes] of store.range({ from: prefix, to: `${prefix}~` })) {
      const leaf = decodeLeaf(bytes)
      if (!leaf.ok || tree.size >= end || key !== indexKey(prefix, tree.size)) break
      tree.append(leafHash(bytes))
      leaves.push(leaf.value)
    }
    return leaves.length === 0 ? null : { tree, leaves, from, writes: [] }
  }

  async #certified(origin: string): Promise<number> {
    const kept = await this.#init.store.get(CERTIFIED + origin)
    return kept === undefined ? 0 : Number(new TextDecoder().decode(kept))
  }

  /** Where what is here of a log stands. */
  async #keys(origin: string): Promise<string[]> {
    const prefix = `${PROGRESS}${origin}/`
    const keys = [CERTIFIED + origin, BEGIN + origin]
    const range = { from: prefix, to: `${prefix}~` }
    for await (const [key] of this.#init.store.range(range)) keys.push(key)
    return keys
  }

  #nothing(origin: string | undefined): SyncFailedError {
    const count = this.#init.peers().length
    return new SyncFailedError(
      count === 0
        ? 'no peer is connected: join one first (can-swarm join ADDRESS)'
        : `none of ${count} peers has a checkpoint${origin === undefined ? ' of another node' : ` of ${origin}`}: threads are followed as they come, and old ones can be had when a node has checkpointed them`
    )
  }
}

/** The first leaf that is wanted. */
function standingIn(checkpoint: Checkpoint, { full, all = false }: How): number {
  const said = full || all ? null : standingOf(checkpoint)
  return said?.ok === true && said.value !== null ? said.value.from : 0
}

/** Where the leaves that are here begin; null for bytes that say nothing of it. */
function readBegin(kept: Uint8Array | undefined): { tree: CompactTree; from: number } | null {
  if (kept === undefined) return { tree: new CompactTree(), from: 0 }
  const decoded = decodeStrict(kept)
  const begin = decoded.ok ? v.safeParse(beginSchema, decoded.value) : null
  if (begin?.success !== true) return null
  const tree = CompactTree.of(begin.output.size, begin.output.peaks)
  return tree.ok ? { tree: tree.value, from: begin.output.size } : null
}

function put(key: string, value: Uint8Array): KeyValueWrite {
  return { type: 'put', key, value }
}

function bytesOf({ leaves }: Part): number {
  return leaves.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function tooMuch(origin: string): SyncFailedError {
  return new SyncFailedError(
    `${origin} is more than is loaded of logs in one run: "sync --from DID" loads that of one node, whatever its size`,
    { origin }
  )
}
