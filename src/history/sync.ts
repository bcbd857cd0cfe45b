import * as v from 'valibot'
import { equals, utf8 } from '../core/base/index.ts'
import { decodeStrict, encode } from '../core/codec/index.ts'
import { decodeLeaf, type Leaf, standingOf } from '../core/history/index.ts'
import { CompactTree, leafHash } from '../core/merkle/index.ts'
import type { Exchange, KeyValues, KeyValueWrite, Logger, VerifySignature } from '../ports/index.ts'
import { checkCertified } from './certified-leaf.ts'
import { BadAnswerError, SyncFailedError } from './errors.ts'
import { indexKey } from './keys.ts'
import { LoadedCheckpoints } from './loaded-checkpoints.ts'
import type { CertifiedLeaf } from './messages.ts'
import { type Offer, Offers } from './offers.ts'
import { askPeer } from './peers.ts'

export type HistorySyncInit = {
  readonly store: KeyValues
  readonly exchange: Exchange
  readonly verify: VerifySignature
  readonly logger: Logger
  readonly network: string
  /** Name of this node's own log: loaded only where it is asked for, since the node has it. */
  readonly own: string
  /** Cosignatures that a checkpoint needs to be loaded without its certificates. */
  readonly quorum: number
  /** Only these count as witnesses; empty: any. */
  readonly trusted: ReadonlySet<string>
  readonly peers: () => readonly string[]
  /** Takes in a part of the log: durable when it resolves. Leaves that are known already are passed over. */
  readonly load: (leaves: readonly Leaf[], from: { origin: string }) => Promise<void>
}

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

export type SyncResult = {
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

const PROGRESS = 'sync/leaf/'
/** What the leaves that are here go on from, where the first ones are not. */
const BEGIN = 'sync/begin/'
/** How many of them, from the first on, had their certificates checked here. */
const CERTIFIED = 'sync/certified/'

const beginSchema = v.strictObject({
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  peaks: v.array(v.custom<Uint8Array>(value => value instanceof Uint8Array))
})

type How = SyncRequest & { readonly full: boolean }

/** Leaves that are here, from one on, and the tree up to the last of them. */
type Begun = { readonly tree: CompactTree; readonly leaves: Leaf[]; readonly from: number }

/**
 * A newcomer's way to what a network knows: the newest checkpoint that enough witnesses cosigned, its leaves, and their root computed here. Without such a
 * checkpoint every leaf is checked by its own certificate. What has come is kept, so that a cut costs nothing.
 */
export class HistorySync {
  readonly #init: HistorySyncInit
  readonly #before: LoadedCheckpoints
  /** Who gave good leaves last: asked first. */
  #giver: string | null = null

  constructor(init: HistorySyncInit) {
    this.#init = init
    this.#before = new LoadedCheckpoints(init.store, init.verify)
  }

  /** Rejects with SyncFailedError when no peer has anything that holds, with SyncMarkDamagedError when it cannot be told whether that is older than what is here. */
  async run(request: SyncRequest = {}): Promise<SyncResult> {
    if (request.anew === true) await this.#begunAnew(request.origin)
    const offers = await this.#offers(request.origin)
    const stable = offers.filter(({ witnesses }) => witnesses.length >= this.#init.quorum)
    const full = request.full === true || stable.length === 0
    const [best, ...others] = (full ? offers : stable).sort((a, b) => compareSize(b, a))
    if (best === undefined) throw this.#nothing(request.origin)
    const how = { ...request, full }
    try {
      return await this.#load(best, how)
    } catch (error) {
      // The largest log may be one whose node is away.
      for (const other of others) {
        const { origin } = other.checked.checkpoint
        this.#init.logger.warn('another log is loaded instead', { origin, error: String(error) })
        const loaded = await this.#load(other, how).catch(() => null)
        if (loaded !== null) return loaded
      }
      throw error
    }
  }

  async #begunAnew(origin: string | undefined): Promise<void> {
    if (origin === undefined)
      throw new SyncFailedError('a log that is to be loaded anew has to be named: --from DID')
    await this.#forget(origin)
    await this.#init.store.write([this.#before.forget(origin)])
  }

  async #load(offer: Offer, how: How): Promise<SyncResult> {
    await this.#checkRollback(offer)
    const { from, loaded } = await this.#follow(offer, how)
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
    const question = { type: 'notes', origin: origin ?? null } as const
    const ask = async (did: string): Promise<void> => {
      try {
        const { notes } = await askPeer(exchange, did, question)
        for (const bytes of notes) offers.take(did, bytes)
      } catch (error) {
        logger.debug('a peer tells no checkpoints', { did, error: String(error) })
      }
    }
    await Promise.all(peers().map(ask))
    return offers
      .all()
      .filter(({ checked: { checkpoint } }) =>
        origin === undefined ? checkpoint.origin !== this.#init.own : checkpoint.origin === origin
      )
  }

  /** What was loaded once is never replaced by less: an old checkpoint is valid for ever. */
  async #checkRollback({ checked }: Offer): Promise<void> {
    const { origin, size, root } = checked.checkpoint
    const before = await this.#before.of(origin)
    if (before === null) return
    if (size < before.size)
      throw new SyncFailedError(
        `the newest checkpoint that peers offer has ${size} leaves, and one of ${before.size} was loaded before: they are behind, or hide what came since`,
        { origin }
      )
    if (size === before.size && !equals(root, before.root))
      throw new SyncFailedError(`${origin} has signed two logs of ${size} leaves`, { origin })
  }

  /** Fetches the leaves that are missing here, computes the root over all, and loads them. */
  async #follow(offer: Offer, how: How): Promise<{ from: number; loaded: number }> {
    const { origin, size, root } = offer.checked.checkpoint
    const prefix = `${PROGRESS}${origin}/`
    const { tree, leaves, from } = await this.#begin(offer, how)
    const known = leaves.length
    while (tree.size < Number(size)) {
      const part = await this.#part(offer, { from: tree.size, full: how.full })
      const wanted = part.slice(0, Number(size) - tree.size)
      const puts = wanted.map(({ bytes }, at) => put(indexKey(prefix, tree.size + at), bytes))
      if (how.full) puts.push(put(CERTIFIED + origin, utf8(String(tree.size + wanted.length))))
      await this.#init.store.write(puts)
      for (const { bytes, leaf } of wanted) {
        tree.append(leafHash(bytes))
        leaves.push(leaf)
      }
      how.progress?.(tree.size - from, Number(size) - from)
    }
    if (!equals(tree.root(), root)) {
      await this.#forget(origin)
      throw new SyncFailedError(
        'the leaves that came do not lead to the root that was signed; they are thrown away: try again, with another peer',
        { origin }
      )
    }
    await this.#init.load(leaves, { origin })
    return { from, loaded: leaves.length - known }
  }

  /** What is here of a log already, or what stands before the first leaf that is wanted. */
  async #begin(offer: Offer, { full, all = false }: How): Promise<Begun> {
    const { origin, size } = offer.checked.checkpoint
    const said = full || all ? null : standingOf(offer.checked.checkpoint)
    const standing = said?.ok === true && said.value !== null ? said.value.from : 0
    const kept = await this.#kept(origin, full ? await this.#certified(origin) : Number(size))
    const isWhole = kept !== null && (kept.from === 0 || !(full || all))
    if (isWhole && kept.tree.size >= standing) return kept
    const begun = await this.#init.store.get(BEGIN + origin)
    if (kept !== null || begun !== undefined) await this.#forget(origin)
    if (standing === 0) return { tree: new CompactTree(), leaves: [], from: 0 }
    const peaks = await this.#peaks(offer, standing)
    const tree = CompactTree.of(standing, peaks)
    if (!tree.ok) throw new SyncFailedError(tree.refusal.message, { origin })
    await this.#init.store.write([put(BEGIN + origin, encode({ size: standing, peaks }))])
    return { tree: tree.value, leaves: [], from: standing }
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
    return leaves.length === 0 ? null : { tree, leaves, from }
  }

  /** From the first holder that has them. What they are worth shows when the leaves after them lead to the root. */
  async #peaks({ holders, checked }: Offer, size: number): Promise<readonly Uint8Array[]> {
    const { origin } = checked.checkpoint
    for (const did of new Set([checked.did, ...holders])) {
      const question = { type: 'peaks', origin, size } as const
      const answer = await askPeer(this.#init.exchange, did, question).catch(() => null)
      if (answer?.peaks != null) return answer.peaks
    }
    throw new SyncFailedError(
      `no peer tells what stands before leaf ${size} of ${origin}: run it again, or load all of the log`,
      { origin, size }
    )
  }

  /** The next leaves from the first holder that gives good ones. */
  async #part(
    { holders, checked }: Offer,
    { from, full }: { readonly from: number; readonly full: boolean }
  ): Promise<{ bytes: Uint8Array; leaf: Leaf }[]> {
    const { origin } = checked.checkpoint
    // Witnesses keep no certificates: those come from the log's own node.
    const sources = new Set(full ? [checked.did] : [checked.did, ...holders])
    const giver = [...sources].filter(did => did === this.#giver)
    const failures: string[] = []
    for (const did of new Set([...giver, ...sources])) {
      try {
        const question = { type: 'leaves', origin, from, certified: full } as const
        const { leaves } = await askPeer(this.#init.exchange, did, question)
        if (leaves.length === 0) throw new BadAnswerError(did, 'it has none of the leaves')
        const good: { bytes: Uint8Array; leaf: Leaf }[] = []
        for (const item of leaves)
          good.push({ bytes: item.leaf, leaf: await this.#read(did, item, full) })
        this.#giver = did
        return good
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
    throw new SyncFailedError(
      `no peer delivers leaf ${from} of ${origin}: ${failures.join('; ')}; what came so far is kept, run it again`,
      { origin, from }
    )
  }

  async #read(did: string, item: CertifiedLeaf, full: boolean): Promise<Leaf> {
    const leaf = full ? await checkCertified(item, this.#init.verify) : decodeLeaf(item.leaf)
    if (!leaf.ok) throw new BadAnswerError(did, leaf.refusal.message)
    return leaf.value
  }

  async #certified(origin: string): Promise<number> {
    const kept = await this.#init.store.get(CERTIFIED + origin)
    return kept === undefined ? 0 : Number(new TextDecoder().decode(kept))
  }

  async #forget(origin: string): Promise<void> {
    const { store } = this.#init
    const prefix = `${PROGRESS}${origin}/`
    const keys = [CERTIFIED + origin, BEGIN + origin]
    for await (const [key] of store.range({ from: prefix, to: `${prefix}~` })) keys.push(key)
    await store.write(keys.map(key => ({ type: 'del', key })))
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

function compareSize(a: Offer, b: Offer): number {
  const [one, other] = [a.checked.checkpoint.size, b.checked.checkpoint.size]
  return one < other ? -1 : one > other ? 1 : 0
}
