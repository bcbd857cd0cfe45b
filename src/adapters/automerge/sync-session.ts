import { compareText } from '../../core/base/index.ts'
import type { PlanSession } from '../../ports/index.ts'
import { Bloom } from './bloom.ts'
import {
  BLOOM_ENTRIES_MAX,
  FIRST_BYTES_MAX,
  FORKS_OF_STREAM_MAX,
  FORKS_SHOWN_MAX,
  HASH_BYTES,
  HEADS_SAID_MAX,
  SENT_BYTES_MAX,
  SENT_CHANGES_MAX,
  WANTED_MAX,
  WANTS_SAID_MAX
} from './limits.ts'
import { encodeSyncMessage, type Have, type SyncMessage } from './sync-message.ts'

/** What a session looks at: the changes of one document. */
export interface SyncGraph {
  /** Sorted. */
  heads(): string[]
  has(hash: string): boolean
  /** Hashes, each after the one that it rests on, with that. */
  changes(): ReadonlyMap<string, string | null>
  bytesOf(hash: string): Uint8Array
}

/** What is to be sent; `more` when something is left for the next message. */
export type Said = { readonly message: Uint8Array | null; readonly more: boolean }

/** A message apart from its changes. */
type Header = Pick<SyncMessage, 'heads' | 'need' | 'have'>

/** Memory of a session that has nothing to remember, about. */
const SESSION_BYTES_MIN = 2_048

const NOTHING: Said = { message: null, more: false }

/**
 * One side of Automerge's sync protocol about one document with one peer, as Automerge's own (Kleppmann and Howard, "Byzantine eventual
 * consistency", 2020), and understood by it, with three differences that strangers call for:
 *
 * 1. Changes are cut into messages of bounded size.
 * 2. A message that says nothing new is not sent: a peer that never takes a change does not keep both sides talking.
 * 3. What a peer sent is not applied here. Whoever owns the document takes the changes that it wants, and says what it still wants.
 */
export class SyncSession {
  /** Heads of the last state that both sides were seen to have. */
  #shared: readonly string[] = []
  #theirs: Header | null = null
  /** Changes that were sent since the stream was opened. */
  #sent = new Set<string>()
  /** Those that were asked for after that, and sent again: once. */
  #sentAgain = new Set<string>()
  /** Changes that others of this peer rest on and that are not here. */
  #wanted = new Set<string>()
  /** Forked sessions that the peer was shown since the stream was opened. */
  #shown = new Set<string>()
  /** Changes of the messages whose envelopes are being judged, oldest message first: they have come, and are not asked for. */
  readonly #judging: ReadonlySet<string>[] = []
  /** What the last message said apart from its changes. */
  #lastSaid: string | null = null

  /** Memory that it takes, about; most of it is what the peer said. */
  get bytes(): number {
    const { heads = [], need = [], have = [] } = this.#theirs ?? {}
    const named = have.map(({ lastSync }) => lastSync.length)
    const sets = [this.#sent, this.#sentAgain, this.#wanted, this.#shown, ...this.#judging]
    const sizes = sets.map(({ size }) => size)
    const hashes = [this.#shared.length, heads.length, need.length, ...named, ...sizes]
    const filters = have.map(({ bloom }) => bloom.size)
    const said = this.#lastSaid?.length ?? 0
    return sum(hashes) * HASH_BYTES + sum(filters) + said + SESSION_BYTES_MIN
  }

  /** The stream is a new one: what was sent over the last one may not have come. What both have stays known. */
  reopen(): void {
    this.#theirs = null
    this.#sent = new Set()
    this.#sentAgain = new Set()
    this.#wanted = new Set()
    this.#shown = new Set()
    this.#lastSaid = null
  }

  /** Takes what a message says apart from its changes, and the hashes of those that are new here. */
  hear({ heads, need, have }: SyncMessage, changes: ReadonlySet<string>): void {
    this.#theirs = { heads, need, have }
    this.#judging.push(changes)
  }

  /** The envelopes of the oldest message have been judged: what is not in the document now may be asked for. */
  judged(): void {
    this.#judging.shift()
  }

  /** A change of the peer rests on this one, which is not here. */
  want(hash: string): void {
    if (this.#wanted.size < WANTED_MAX) this.#wanted.add(hash)
  }

  /** Those of these forks that the peer is to be shown now: each once over one stream. */
  show(forks: Iterable<PlanSession>): PlanSession[] {
    const fresh: PlanSession[] = []
    for (const fork of forks) {
      const isFull = this.#shown.size >= FORKS_OF_STREAM_MAX || fresh.length >= FORKS_SHOWN_MAX
      if (isFull) break
      const key = `${fork.sender} ${fork.session}`
      if (this.#shown.has(key)) continue
      this.#shown.add(key)
      fresh.push(fork)
    }
    return fresh
  }

  /** The next message, if there is something to say. */
  say(graph: SyncGraph): Said {
    const heads = graph.heads().slice(0, HEADS_SAID_MAX)
    this.#meet(graph, heads)
    const need = this.#need(graph)
    const { changes, more } = this.#changesToSend(graph, heads)
    const said = [...heads, '', ...need].join()
    if (changes.length === 0 && said === this.#lastSaid) return NOTHING
    this.#lastSaid = said
    const have = [this.#have(graph)]
    return { message: encodeSyncMessage({ heads, need, have, changes }), more }
  }

  /** When everything that the peer has is here, that is the new common state. */
  #meet(graph: SyncGraph, heads: readonly string[]): void {
    const theirs = this.#theirs?.heads
    if (theirs === undefined || !theirs.every(head => graph.has(head))) return
    const shared = theirs.join()
    if (shared === this.#shared.join()) return
    this.#shared = theirs
    // The peer learns from the next message that this node has come so far, unless it knows that by the heads.
    if (shared !== heads.join()) this.#lastSaid = null
  }

  #need(graph: SyncGraph): string[] {
    for (const hash of this.#wanted) if (graph.has(hash)) this.#wanted.delete(hash)
    // While something comes, what the peer has besides that may be on its way, too.
    const isComing = this.#judging.some(changes => changes.size > 0)
    const heads = isComing ? [] : (this.#theirs?.heads ?? [])
    const missing = heads.filter(hash => !graph.has(hash))
    const lacking = [...new Set([...missing, ...this.#wanted])]
    return lacking
      .filter(hash => !this.#judging.some(changes => changes.has(hash)))
      .sort(compareText)
      .slice(0, WANTS_SAID_MAX)
  }

  #have(graph: SyncGraph): Have {
    // Some of the heads of a common state are one, too.
    const lastSync = this.#shared.filter(hash => graph.has(hash)).slice(0, HEADS_SAID_MAX)
    const since = changesSince(graph, lastSync)
    return { lastSync, bloom: Bloom.of(since.length > BLOOM_ENTRIES_MAX ? [] : since) }
  }

  #changesToSend(
    graph: SyncGraph,
    heads: readonly string[]
  ): { readonly changes: Uint8Array[]; readonly more: boolean } {
    const theirs = this.#theirs
    if (theirs === null) return { changes: [], more: false }
    // Heads that were cut are not all that there is.
    const isWhole = heads.length < HEADS_SAID_MAX
    if (isWhole && theirs.heads.join() === heads.join()) return { changes: [], more: false }
    const changes: Uint8Array[] = []
    const bytesMax = this.#sent.size === 0 ? FIRST_BYTES_MAX : SENT_BYTES_MAX
    let bytes = 0
    for (const hash of this.#missingThere(graph, theirs)) {
      if (changes.length >= SENT_CHANGES_MAX || bytes >= bytesMax) return { changes, more: true }
      if (this.#sent.has(hash)) this.#sentAgain.add(hash)
      this.#sent.add(hash)
      const change = graph.bytesOf(hash)
      changes.push(change)
      bytes += change.length
    }
    return { changes, more: false }
  }

  /** What the peer lacks, as far as its filters tell, and what it asks for; each after what it rests on. */
  #missingThere(graph: SyncGraph, { need, have }: Header): string[] {
    const asked = new Set(need.filter(hash => graph.has(hash)))
    const lacking = new Set<string>()
    // A peer that names a state unknown here has lost nothing by getting what its filter does not show.
    const known = have.flatMap(({ lastSync }) => lastSync.filter(hash => graph.has(hash)))
    if (have.length > 0) {
      const changes = graph.changes()
      for (const hash of changesSince(graph, known)) {
        const dep = changes.get(hash) ?? null
        const isLacking = dep !== null && lacking.has(dep)
        if (isLacking || !have.some(({ bloom }) => bloom.has(hash))) lacking.add(hash)
      }
    }
    const fresh = [...lacking].filter(hash => !this.#sent.has(hash))
    const again = [...asked].filter(hash => !lacking.has(hash) || this.#sent.has(hash))
    return [...again.filter(hash => !this.#sentAgain.has(hash)), ...fresh]
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

/** Changes that are not among these heads or what they rest on, in order. */
function changesSince(graph: SyncGraph, heads: readonly string[]): string[] {
  const changes = graph.changes()
  const before = new Set<string>()
  for (const head of heads) {
    let hash: string | null = head
    while (hash !== null && !before.has(hash)) {
      before.add(hash)
      hash = changes.get(hash) ?? null
    }
  }
  const since: string[] = []
  for (const hash of changes.keys()) if (!before.has(hash)) since.push(hash)
  return since
}
