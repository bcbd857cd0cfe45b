/** Threads that are not followed here and that peers want to sync; the oldest is forgotten. */
const OFFERED_MAX = 256
/** Such threads of one peer, so that it takes the place of its own before that of others. */
const OFFERED_OF_PEER_MAX = 32
/** Such peers of one thread. */
const OFFERING_PEERS_MAX = 8

/** Who wants to sync threads that this node does not follow yet: they are answered when it does. */
export class PlanOffers {
  /** Thread -> peers; oldest first. */
  readonly #peers = new Map<string, Set<string>>()

  add(peer: string, thread: string): void {
    const peers = this.#peers.get(thread) ?? new Set()
    if (peers.has(peer) || peers.size >= OFFERING_PEERS_MAX) return
    const own = [...this.#peers].filter(([, others]) => others.has(peer))
    const [oldestOwn] = own
    if (own.length >= OFFERED_OF_PEER_MAX && oldestOwn !== undefined)
      this.#remove(peer, oldestOwn[0])
    peers.add(peer)
    this.#peers.set(thread, peers)
    const [oldest] = this.#peers.keys()
    if (this.#peers.size > OFFERED_MAX && oldest !== undefined) this.#peers.delete(oldest)
  }

  /** The peers that wait for a thread, which are forgotten. */
  take(thread: string): Iterable<string> {
    const peers = this.#peers.get(thread) ?? []
    this.#peers.delete(thread)
    return peers
  }

  leave(peer: string): void {
    for (const thread of [...this.#peers.keys()]) this.#remove(peer, thread)
  }

  #remove(peer: string, thread: string): void {
    const peers = this.#peers.get(thread)
    peers?.delete(peer)
    if (peers?.size === 0) this.#peers.delete(thread)
  }
}
