import { createHash } from 'node:crypto'
import * as A from '@automerge/automerge'
import { assert } from '../../core/base/index.ts'
import { FACTS_PER_THREAD_MAX } from './limits.ts'
import type { EncodedChange } from './protocol.ts'

/** Root keys are `<envelope CID>/<position of the fact>`. */
type Facts = Record<string, Uint8Array>

type Document = { doc: A.Doc<Facts>; readonly envelopes: Set<string>; facts: number }

/** The Automerge documents of the worker, one per thread, of which the least recently used are freed. */
export class Documents {
  /** Least recently used first. */
  readonly #documents = new Map<string, Document>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  has(thread: string): boolean {
    return this.#documents.has(thread)
  }

  /**
   * Adds changes, to a new document where there is none; those that are there already are skipped. False, and nothing is
   * added, when there would be too many facts.
   */
  apply(thread: string, changes: readonly EncodedChange[]): boolean {
    const document = this.#use(thread) ?? this.#create(thread)
    const news = unseen(changes, document.envelopes)
    const facts = news.reduce((sum, change) => sum + change.facts.length, document.facts)
    if (facts > FACTS_PER_THREAD_MAX) return false
    if (news.length === 0) return true
    const [doc] = A.applyChanges(document.doc, news.map(automergeChange))
    document.doc = doc
    document.facts = facts
    for (const { envelope } of news) document.envelopes.add(envelope)
    return true
  }

  /** Heads and every fact, as the document has them. */
  view(thread: string): { heads: string[]; changes: EncodedChange[] } {
    const { doc } = this.#existing(thread)
    const changes = new Map<string, Uint8Array[]>()
    for (const key of Object.keys(doc)) {
      const [envelope = '', position] = key.split('/')
      const facts = changes.get(envelope) ?? []
      facts[Number(position)] = doc[key] as Uint8Array
      changes.set(envelope, facts)
    }
    return {
      heads: [...A.getHeads(doc)].sort(),
      changes: [...changes].map(([envelope, facts]) => ({ envelope, facts }))
    }
  }

  save(thread: string): Uint8Array {
    return A.save(this.#existing(thread).doc)
  }

  drop(thread: string): void {
    const document = this.#documents.get(thread)
    if (document === undefined) return
    this.#documents.delete(thread)
    A.free(document.doc)
  }

  #existing(thread: string): Document {
    const document = this.#use(thread)
    assert(document !== undefined, 'the worker looks first whether a document is there')
    return document
  }

  #use(thread: string): Document | undefined {
    const document = this.#documents.get(thread)
    if (document === undefined) return undefined
    this.#documents.delete(thread)
    this.#documents.set(thread, document)
    return document
  }

  #create(thread: string): Document {
    for (const oldest of this.#documents.keys()) {
      if (this.#documents.size < this.#max) break
      this.drop(oldest)
    }
    // This document never writes, so its actor never shows; a fixed one keeps randomness out.
    const doc = A.init<Facts>({ actor: actorOf(thread) })
    const document: Document = { doc, envelopes: new Set(), facts: 0 }
    this.#documents.set(thread, document)
    return document
  }
}

/**
 * The one Automerge change that an envelope's facts make: written on an empty document by an actor derived from the envelope's
 * id, sequence 1, time 0, no dependencies. A function of the envelope alone, so replicas never have to exchange Automerge
 * bytes (R16), and no two changes ever share an (actor, sequence).
 */
export function automergeChange({ envelope, facts }: EncodedChange): A.Change {
  const empty = A.init<Facts>({ actor: actorOf(envelope) })
  const written = A.change(empty, { time: 0 }, doc => {
    facts.forEach((fact, position) => {
      doc[`${envelope}/${position}`] = fact
    })
  })
  const change = A.getLastLocalChange(written)
  A.free(written)
  assert(change !== undefined, 'an envelope with facts makes a change')
  return change
}

function actorOf(name: string): string {
  return createHash('sha256').update(name).digest('hex')
}

function unseen(changes: readonly EncodedChange[], seen: ReadonlySet<string>): EncodedChange[] {
  const news = new Map<string, EncodedChange>()
  for (const change of changes) {
    if (!seen.has(change.envelope) && change.facts.length > 0) news.set(change.envelope, change)
  }
  return [...news.values()]
}
