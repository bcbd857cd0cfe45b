import { SESSIONS_BYTES_MAX, SESSIONS_MAX } from './limits.ts'
import { SyncSession } from './sync-session.ts'

export type SyncSessionsInit = { readonly max?: number; readonly bytesMax?: number }

/**
 * The sync sessions with all peers, bounded in number and in bytes: what a session keeps, its peer has chosen. Where there is no more room, the
 * peer that takes the most of it has its least recently used one start over.
 */
export class SyncSessions {
  /** By peer, then thread; of each peer the least recently used first. */
  readonly #peers = new Map<string, Map<string, SyncSession>>()
  readonly #max: number
  readonly #bytesMax: number

  constructor({ max = SESSIONS_MAX, bytesMax = SESSIONS_BYTES_MAX }: SyncSessionsInit = {}) {
    this.#max = max
    this.#bytesMax = bytesMax
  }

  /** The session about a thread with a peer; a new one where there is none. */
  use(thread: string, peer: string): SyncSession {
    const own = this.#peers.get(peer) ?? new Map<string, SyncSession>()
    this.#peers.set(peer, own)
    const session = own.get(thread) ?? new SyncSession()
    own.delete(thread)
    own.set(thread, session)
    return session
  }

  /** The envelopes of the oldest message of a peer have been judged. */
  judged(thread: string, peer: string): void {
    this.#peers.get(peer)?.get(thread)?.judged()
  }

  /** The stream to a peer is a new one. */
  reopen(peer: string): void {
    for (const session of this.#peers.get(peer)?.values() ?? []) session.reopen()
  }

  /** The peer has left. */
  forget(peer: string): void {
    this.#peers.delete(peer)
  }

  /** After a session has grown. */
  makeRoom(): void {
    const loads = [...this.#peers].map(([peer, own]) => ({ peer, ...loadOf(own) }))
    let count = loads.reduce((sum, load) => sum + load.count, 0)
    let bytes = loads.reduce((sum, load) => sum + load.bytes, 0)
    while (count > this.#max || bytes > this.#bytesMax) {
      const measure = bytes > this.#bytesMax ? 'bytes' : 'count'
      const most = loads.reduce((a, b) => (b[measure] > a[measure] ? b : a))
      const freed = this.#dropOldest(most.peer)
      most.count -= 1
      most.bytes -= freed
      count -= 1
      bytes -= freed
    }
  }

  /** What all sessions take, about. */
  get bytes(): number {
    let bytes = 0
    for (const own of this.#peers.values()) bytes += loadOf(own).bytes
    return bytes
  }

  #dropOldest(peer: string): number {
    const own = this.#peers.get(peer) ?? new Map<string, SyncSession>()
    const [oldest] = own
    if (oldest === undefined) return 0
    own.delete(oldest[0])
    if (own.size === 0) this.#peers.delete(peer)
    return oldest[1].bytes
  }
}

function loadOf(own: ReadonlyMap<string, SyncSession>): { count: number; bytes: number } {
  let bytes = 0
  for (const session of own.values()) bytes += session.bytes
  return { count: own.size, bytes }
}
