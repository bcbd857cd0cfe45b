import { equals, toHex } from '../core/base/index.ts'
import type { Checkpoint } from '../core/checkpoint/index.ts'
import { checkNotAhead, decodeLeaf, type Leaf } from '../core/history/index.ts'
import { CompactTree, leafHash, verifyConsistency } from '../core/merkle/index.ts'
import type { Exchange, Logger, VerifySignature } from '../ports/index.ts'
import { checkCertified } from './certified-leaf.ts'
import { BadAnswerError, SyncFailedError } from './errors.ts'
import { CERTIFIED_MAX } from './limits.ts'
import type { CertifiedLeaf } from './messages.ts'
import type { Offer } from './offers.ts'
import { askPeer } from './peers.ts'

export type LogSourceInit = {
  readonly exchange: Exchange
  readonly verify: VerifySignature
  readonly logger: Logger
  readonly offer: Offer
  readonly nowMs: () => number
  /** Leaves are wanted with their certificates: only the log's own node has those. */
  readonly full: boolean
  /** Hashes of leaves whose certificates were checked in this run, in whatever log: one certificate makes the same leaf everywhere. */
  readonly certified: Set<string>
}

/** Leaves that follow on a tree, and the tree with them. */
export type Part = {
  readonly tree: CompactTree
  readonly leaves: readonly { readonly bytes: Uint8Array; readonly leaf: Leaf }[]
}

/**
 * The log under one checkpoint, from whoever holds it. Each answer is held against the signed root before anything rests on it, by a proof that the same peer
 * gives: so a peer that gives anything else spoils nothing, is known, and is asked nothing more.
 */
export class LogSource {
  readonly #init: LogSourceInit
  readonly #liars = new Set<string>()
  /** Who gave something good last: asked first. */
  #giver: string | null = null

  constructor(init: LogSourceInit) {
    this.#init = init
  }

  /** Whether a peer gave what does not lead to the root: it lies, or that from which it was to go on is of another log. */
  get isRefuted(): boolean {
    return this.#liars.size > 0
  }

  /** Asks those again that gave what did not lead to the root. */
  pardon(): void {
    this.#liars.clear()
  }

  /** The tree of the first `size` leaves. Rejects with SyncFailedError when nobody has it. */
  async peaks(size: number): Promise<{ tree: CompactTree; peaks: readonly Uint8Array[] }> {
    const { exchange } = this.#init
    const { origin } = this.#checkpoint
    const wanted = `what stands before leaf ${size} of ${origin}`
    return this.#first(wanted, async did => {
      const { peaks } = await askPeer(exchange, did, { type: 'peaks', origin, size })
      if (peaks === null) throw new BadAnswerError(did, `it has no ${size} leaves`)
      const tree = CompactTree.of(size, peaks)
      if (!tree.ok) throw new BadAnswerError(did, tree.refusal.message)
      await this.#check(did, tree.value)
      return { tree: tree.value, peaks }
    })
  }

  /** The next leaves. Rejects with SyncFailedError when nobody has them. */
  async part(before: CompactTree): Promise<Part> {
    const { exchange, full } = this.#init
    const { origin, size } = this.#checkpoint
    return this.#first(`leaf ${before.size} of ${origin}`, async did => {
      const question = { type: 'leaves', origin, from: before.size, certified: full } as const
      const { leaves: items } = await askPeer(exchange, did, question)
      if (items.length === 0) throw new BadAnswerError(did, 'it has none of the leaves')
      const tree = before.copy()
      const leaves: { bytes: Uint8Array; leaf: Leaf }[] = []
      for (const item of items.slice(0, Number(size) - before.size)) {
        leaves.push({ bytes: item.leaf, leaf: await this.#read(did, item) })
        tree.append(leafHash(item.leaf))
      }
      await this.#check(did, tree)
      return { tree, leaves }
    })
  }

  /** Whether anybody shows that this log begins with that of an older checkpoint. */
  async beginsWith(older: Checkpoint): Promise<boolean> {
    const tree = { size: Number(older.size), root: () => older.root }
    for (const did of this.#holders())
      if ((await this.#check(did, tree).catch(() => false)) !== false) return true
    return false
  }

  get #checkpoint(): Checkpoint {
    return this.#init.offer.checked.checkpoint
  }

  #holders(): Set<string> {
    const { checked, holders } = this.#init.offer
    return new Set([checked.did, ...holders])
  }

  /** What the first peer gives that gives something good. */
  async #first<T>(wanted: string, ask: (did: string) => Promise<T>): Promise<T> {
    const { offer, full, logger } = this.#init
    const sources = full ? [offer.checked.did] : [...this.#holders()]
    const ordered = [...sources.filter(did => did === this.#giver), ...sources]
    const failures: string[] = []
    for (const did of new Set(ordered)) {
      if (this.#liars.has(did)) continue
      try {
        const found = await ask(did)
        this.#giver = did
        return found
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
        if (!(error instanceof BadAnswerError)) continue
        logger.warn('a peer is asked nothing more of a log', { did, error: error.message })
        this.#liars.add(did)
      }
    }
    const { origin } = this.#checkpoint
    throw new SyncFailedError(
      `no peer delivers ${wanted}: ${failures.join('; ')}; what came so far is kept, run it again`,
      { origin }
    )
  }

  /** Rejects with BadAnswerError unless the peer shows that the checkpoint's tree begins with this one. */
  async #check(did: string, tree: TreeState): Promise<void> {
    const { origin, size, root } = this.#checkpoint
    const from = tree.size
    if (BigInt(from) === size) {
      if (equals(tree.root(), root)) return
      throw new BadAnswerError(did, 'what it gave does not lead to the root that was signed')
    }
    const question = { type: 'consistency', origin, from, size: Number(size) } as const
    const { proof } = await askPeer(this.#init.exchange, did, question)
    if (proof === null) throw new BadAnswerError(did, 'it does not prove what it gave')
    const claim = { oldSize: BigInt(from), oldRoot: tree.root(), newSize: size, newRoot: root }
    const shown = verifyConsistency({ ...claim, proof })
    if (!shown.ok) throw new BadAnswerError(did, shown.refusal.message)
  }

  async #read(did: string, item: CertifiedLeaf): Promise<Leaf> {
    const { full, verify, nowMs, certified } = this.#init
    const hash = full ? toHex(leafHash(item.leaf)) : ''
    const isClear = !full || certified.has(hash)
    const leaf = isClear ? decodeLeaf(item.leaf) : await checkCertified(item, verify)
    if (!leaf.ok) throw new BadAnswerError(did, leaf.refusal.message)
    if (!isClear && certified.size < CERTIFIED_MAX) certified.add(hash)
    const ahead = checkNotAhead(leaf.value, nowMs())
    if (!ahead.ok) throw new BadAnswerError(did, ahead.refusal.message)
    return leaf.value
  }
}

type TreeState = { readonly size: number; readonly root: () => Uint8Array }
