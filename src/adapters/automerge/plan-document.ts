import * as A from '@automerge/automerge'
import { assert, compareText } from '../../core/base/index.ts'
import { SESSION_BYTES_MAX, SESSION_FACTS_MAX } from '../../core/plan/index.ts'
import type { PlanEntry, PlanSession } from '../../ports/index.ts'
import {
  type Change,
  chainActor,
  envelopeActor,
  genesisChange,
  planChange
} from './change-chunk.ts'

type Place = { readonly envelope: string; readonly hash: string }

/** The updates of one sender's session, as far as they are known. */
type Chain = {
  readonly actor: Uint8Array
  /** Updates that are in the document, from the first on. */
  readonly applied: Place[]
  /** Updates after those, by position: the first that was seen of each. */
  readonly waiting: Map<number, PlanEntry>
  /** The first position at which the sender said two things. Nothing from there on is in the document (SYNC-5). */
  forkedAt: number
  /** Of those that are in the document; a session that is full has no more (as core/plan counts). */
  facts: number
  bytes: number
}

/**
 * The Automerge document of one thread. Its changes are those of the envelopes that were given to it, in whatever order: a function of their
 * set. Automerge holds the bytes; here is what hangs on what.
 */
export class PlanDocument {
  readonly thread: string
  readonly #genesis: ReturnType<typeof genesisChange>
  #doc: A.Doc<unknown>
  #automerge: ReturnType<typeof A.getBackend>
  /** Hash -> what it rests on, each after that. */
  readonly #deps = new Map<string, string | null>()
  readonly #heads = new Set<string>()
  /** Envelope -> hash of its change, or null while the change waits for those before it. */
  readonly #envelopes = new Map<string, string | null>()
  readonly #chains = new Map<string, Chain>()
  /** Sessions that are forked, by the same keys. */
  readonly #forks = new Map<string, PlanSession>()
  /** Changes that are to be applied together. */
  #ready: Uint8Array[] = []
  /** Whether Automerge still has changes that a fork took out. */
  #hasRetracted = false
  /** Bytes of the envelopes. */
  bytes = 0

  constructor(thread: string) {
    this.thread = thread
    this.#genesis = genesisChange(thread)
    this.#doc = emptyDocument()
    this.#automerge = A.getBackend(this.#doc)
    this.#add(this.#genesis)
    this.#flush()
  }

  /** Adds envelopes; known ones change nothing. Where a sender has said two things, what stood from there on is taken out. */
  apply(entries: readonly PlanEntry[]): void {
    const chains = new Set<Chain>()
    for (const entry of entries) {
      if (this.#envelopes.has(entry.envelope)) continue
      this.#envelopes.set(entry.envelope, null)
      this.bytes += entry.bytes.length
      if (entry.chain === null) this.#addSingle(entry)
      else chains.add(this.#link(entry, entry.chain))
    }
    for (const chain of chains) {
      this.#retract(chain)
      this.#advance(chain)
    }
    this.#flush()
  }

  /** Sorted. */
  heads(): string[] {
    const { hash } = this.#genesis
    return this.#deps.size === 1
      ? []
      : [...this.#heads].filter(head => head !== hash).sort(compareText)
  }

  has(hash: string): boolean {
    return this.#deps.has(hash)
  }

  holds(envelope: string): boolean {
    return this.#envelopes.has(envelope)
  }

  /** The session of an envelope where that is forked at its place or before, or null. */
  forkOf({ sender, chain }: PlanEntry): PlanSession | null {
    if (chain === null) return null
    const key = chainKey(sender, chain.session)
    const forkedAt = this.#chains.get(key)?.forkedAt ?? Infinity
    return forkedAt <= chain.seq ? (this.#forks.get(key) ?? null) : null
  }

  /** Sessions that are forked, in the order in which that became known. */
  forks(): Iterable<PlanSession> {
    return this.#forks.values()
  }

  /** Hashes of all changes, each after what it rests on, with that. */
  changes(): ReadonlyMap<string, string | null> {
    return this.#deps
  }

  bytesOf(hash: string): Uint8Array {
    const bytes = this.#automerge.getChangeByHash(hash)
    assert(bytes !== null, 'Automerge has every change that was applied')
    return bytes
  }

  /** Envelopes whose changes are in the document, in the order of their application. */
  envelopes(): string[] {
    return [...this.#envelopes].filter(([, hash]) => hash !== null).map(([envelope]) => envelope)
  }

  /**
   * The change that an envelope must have. `claimed` stands for what it rests on where this is not known here.
   */
  changeOf(entry: PlanEntry, claimed: string): Change {
    const { chain, sender } = entry
    if (chain === null) return this.#change(entry, envelopeActor(this.thread, entry.envelope))
    const known = chain.previous === null ? this.#genesis.hash : this.#envelopes.get(chain.previous)
    return planChange({
      genesisActor: this.#genesis.actor,
      actor: chainActor(this.thread, sender, chain.session),
      seq: chain.seq,
      dep: known ?? claimed,
      envelope: entry.bytes
    })
  }

  save(): Uint8Array {
    if (this.#hasRetracted) this.#renew()
    return this.#automerge.save()
  }

  free(): void {
    A.free(this.#doc)
  }

  #change(entry: PlanEntry, actor: Uint8Array): Change {
    const { actor: genesisActor, hash: dep } = this.#genesis
    return planChange({ genesisActor, actor, seq: 1, dep, envelope: entry.bytes })
  }

  #addSingle(entry: PlanEntry): void {
    const change = this.#change(entry, envelopeActor(this.thread, entry.envelope))
    this.#envelopes.set(entry.envelope, change.hash)
    this.#add(change)
  }

  #link(entry: PlanEntry, { session, seq }: NonNullable<PlanEntry['chain']>): Chain {
    const key = chainKey(entry.sender, session)
    let chain = this.#chains.get(key)
    if (chain === undefined) {
      const actor = chainActor(this.thread, entry.sender, session)
      chain = { actor, applied: [], waiting: new Map(), forkedAt: Infinity, facts: 0, bytes: 0 }
      this.#chains.set(key, chain)
    }
    if (seq <= chain.applied.length || chain.waiting.has(seq)) {
      chain.forkedAt = Math.min(chain.forkedAt, seq)
      this.#forks.set(key, { sender: entry.sender, session })
    } else chain.waiting.set(seq, entry)
    return chain
  }

  /** Adds what has everything before it. */
  #advance(chain: Chain): void {
    for (;;) {
      const seq = chain.applied.length + 1
      const entry = chain.waiting.get(seq)
      const last = chain.applied.at(-1)
      if (entry === undefined || seq >= chain.forkedAt) return
      // It goes on from an update that was never seen: it waits for ever, or a fork at its place becomes known.
      if ((entry.chain?.previous ?? null) !== (last?.envelope ?? null)) return
      if (isFullFor(chain, entry)) return
      const change = planChange({
        genesisActor: this.#genesis.actor,
        actor: chain.actor,
        seq,
        dep: last?.hash ?? this.#genesis.hash,
        envelope: entry.bytes
      })
      chain.waiting.delete(seq)
      chain.facts += entry.facts
      chain.bytes += entry.bytes.length
      chain.applied.push({ envelope: entry.envelope, hash: change.hash })
      this.#envelopes.set(entry.envelope, change.hash)
      this.#add(change)
    }
  }

  /**
   * Takes out what stands at a fork and after it. Automerge cannot forget a change, but is not asked for these again: each is taken out once,
   * however often its sender forks, and the document goes on.
   */
  #retract(chain: Chain): void {
    if (chain.forkedAt > chain.applied.length) return
    const retracted = chain.applied.splice(chain.forkedAt - 1)
    for (const { envelope, hash } of retracted) {
      this.#envelopes.set(envelope, null)
      this.#deps.delete(hash)
      this.#heads.delete(hash)
    }
    const last = chain.applied.at(-1)
    if (last !== undefined) this.#heads.add(last.hash)
    this.#hasRetracted = true
  }

  /** Begins with Automerge anew, with the changes that are left. */
  #renew(): void {
    this.#ready = [...this.#deps.keys()].map(hash => this.bytesOf(hash))
    A.free(this.#doc)
    this.#doc = emptyDocument()
    this.#automerge = A.getBackend(this.#doc)
    this.#hasRetracted = false
    this.#flush()
  }

  #add({ hash, dep, bytes }: Change): void {
    this.#deps.set(hash, dep)
    if (dep !== null) this.#heads.delete(dep)
    this.#heads.add(hash)
    this.#ready.push(bytes)
  }

  #flush(): void {
    if (this.#ready.length > 0) this.#automerge.applyChanges(this.#ready as A.Change[])
    this.#ready = []
  }
}

/** This document never writes, so its actor never shows; a fixed one keeps randomness out. */
function emptyDocument(): A.Doc<unknown> {
  return A.init({ actor: '00' })
}

function chainKey(sender: string, session: number): string {
  return `${sender} ${session}`
}

function isFullFor(chain: Chain, { facts, bytes }: PlanEntry): boolean {
  return chain.facts + facts > SESSION_FACTS_MAX || chain.bytes + bytes.length > SESSION_BYTES_MAX
}
