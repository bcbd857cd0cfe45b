import { hash as hashOf } from 'node:crypto'
import { assert, equals, toHex } from '../../core/base/index.ts'
import { parseEnvelope } from '../../core/envelope/index.ts'
import { planEntryOf } from '../../core/plan/index.ts'
import type { PlanEntry, PlanSession } from '../../ports/index.ts'
import { readChange } from './change-chunk.ts'
import { DOCUMENTS_BYTES_MAX } from './limits.ts'
import { PlanDocument } from './plan-document.ts'
import { decodeSyncMessage } from './sync-message.ts'
import type { Said } from './sync-session.ts'
import { SyncSessions } from './sync-sessions.ts'

/** What a message brought: envelopes that are new here, still to be judged by the door, or what is wrong with it. */
export type HeardMessage =
  | {
      readonly lie: null
      readonly envelopes: readonly Uint8Array[]
      /** Forked sessions that the peer has not been shown, those first of which it has one side: it has no reason to ask for the other. */
      readonly forks: readonly PlanSession[]
      /** Changes that the document does not have: each was compared with the one of its envelope. */
      readonly compared: number
    }
  | {
      readonly lie: string
      readonly envelopes: readonly []
      readonly forks: readonly []
      readonly compared: 0
    }

/** The Automerge documents of the worker, one per thread, of which the least recently used are freed, and their sync with peers. */
export class Documents {
  /** Least recently used first. */
  readonly #documents = new Map<string, PlanDocument>()
  /** Those that are not whole yet. */
  readonly #folding = new Map<string, PlanDocument>()
  /** They outlive documents: a document made anew has the same changes. */
  readonly #sessions = new SyncSessions()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  has(thread: string): boolean {
    return this.#documents.has(thread)
  }

  /** Adds envelopes, to a new document where there is none. */
  apply(thread: string, entries: readonly PlanEntry[]): void {
    const document = this.#use(thread) ?? this.#create(thread)
    document.apply(entries)
    this.#makeRoom()
  }

  /**
   * Makes a document of all envelopes of a thread, which come in several parts, and puts it in the place of the one that was there. False
   * when the parts before are not here.
   */
  fold(
    thread: string,
    entries: readonly PlanEntry[],
    { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean }
  ): boolean {
    if (isFirst) {
      this.drop(thread)
      this.#folding.set(thread, new PlanDocument(thread))
    }
    const document = this.#folding.get(thread)
    if (document === undefined) return false
    document.apply(entries)
    if (!isLast) return true
    this.#folding.delete(thread)
    this.#documents.set(thread, document)
    this.#makeRoom()
    return true
  }

  view(thread: string): { heads: string[]; envelopes: string[] } {
    const document = this.#existing(thread)
    return { heads: document.heads(), envelopes: document.envelopes() }
  }

  save(thread: string): Uint8Array {
    return this.#existing(thread).save()
  }

  drop(thread: string): void {
    for (const documents of [this.#documents, this.#folding]) {
      documents.get(thread)?.free()
      documents.delete(thread)
    }
  }

  /**
   * Reads a sync message of a stranger. Of each change only the envelope is taken, and the change must be the one that this envelope has:
   * nothing of the message ever comes to Automerge (SYNC-11).
   */
  hear(thread: string, peer: string, bytes: Uint8Array): HeardMessage {
    const document = this.#existing(thread)
    const message = decodeSyncMessage(bytes)
    if (message === null) return lie('a message that is none of the protocol, or above a limit')
    const session = this.#sessions.use(thread, peer)
    const envelopes: Uint8Array[] = []
    const seen: PlanSession[] = []
    const fresh = new Set<string>()
    for (const change of message.changes) {
      const hash = toHex(hashOf('sha256', change.subarray(8), 'buffer'))
      if (document.has(hash)) continue
      fresh.add(hash)
      const read = readChange(change)
      if (read === null) return lie('a change that is of no envelope')
      const entry = entryOf(thread, read.envelope)
      if (entry === null) return lie('a change of an envelope that is not of this plan')
      if (!equals(document.changeOf(entry, read.dep).bytes, change))
        return lie('a change that is not the one of its envelope')
      const fork = document.forkOf(entry)
      if (fork !== null) seen.push(fork)
      else if (!document.has(read.dep)) session.want(read.dep)
      // A copy: the view would keep the whole message.
      if (!document.holds(entry.envelope)) envelopes.push(read.envelope.slice())
    }
    session.hear(message, fresh)
    const forks = session.show([...seen, ...document.forks()])
    this.#sessions.makeRoom()
    return { lie: null, envelopes, forks, compared: fresh.size }
  }

  /** What the oldest message of a peer brought has passed the door and is in the document, or was refused. */
  judged(thread: string, peer: string): void {
    this.#sessions.judged(thread, peer)
  }

  /** The next message to a peer. */
  say(thread: string, peer: string): Said {
    const said = this.#sessions.use(thread, peer).say(this.#existing(thread))
    this.#sessions.makeRoom()
    return said
  }

  /** The stream to a peer is a new one. */
  reopen(peer: string): void {
    this.#sessions.reopen(peer)
  }

  /** The peer has left: it starts over when it comes back. */
  forget(peer: string): void {
    this.#sessions.forget(peer)
  }

  /** Memory of the state of sync with all peers, about. */
  sessionBytes(): number {
    return this.#sessions.bytes
  }

  #existing(thread: string): PlanDocument {
    const document = this.#use(thread)
    assert(document !== undefined, 'the worker looks first whether a document is there')
    return document
  }

  #use(thread: string): PlanDocument | undefined {
    const document = this.#documents.get(thread)
    if (document === undefined) return undefined
    this.#documents.delete(thread)
    this.#documents.set(thread, document)
    return document
  }

  #create(thread: string): PlanDocument {
    const document = new PlanDocument(thread)
    this.#documents.set(thread, document)
    return document
  }

  /** The one in use stays. */
  #makeRoom(): void {
    let bytes = 0
    for (const document of this.#documents.values()) bytes += document.bytes
    for (const [thread, document] of this.#documents) {
      const isCrowded = this.#documents.size > this.#max || bytes > DOCUMENTS_BYTES_MAX
      if (!isCrowded || this.#documents.size === 1) return
      bytes -= document.bytes
      this.drop(thread)
    }
  }
}

function lie(why: string): HeardMessage {
  return { lie: why, envelopes: [], forks: [], compared: 0 }
}

/** The entry that an envelope makes in the plan of a thread; null when it makes none. Its signature is the door's business. */
function entryOf(thread: string, bytes: Uint8Array): PlanEntry | null {
  const parsed = parseEnvelope(bytes)
  return parsed.ok ? planEntryOf(thread, parsed.value) : null
}
