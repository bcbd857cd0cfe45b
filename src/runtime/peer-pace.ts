/** Links of one peer for each second in the long run. Each costs a signature and an evaluation, about a ms together. */
const LINKS_PER_SECOND = 200
/** Links that a peer may bring at once: the longest session. Whoever comes back after a week has its plans without waiting. */
const LINKS_BURST = 16_384
/** Peers that are remembered; who was forgotten may bring as many at once again. */
const PEERS_MAX = 4096

const LINK_MS: number = 1000 / LINKS_PER_SECOND
const BURST_MS: number = LINKS_BURST * LINK_MS

/**
 * How fast peers bring links of plans (R4). Authors have a rate at the door, but links are mostly old ones, many of one author: here those pay
 * who bring them.
 */
export class PeerPace {
  /** Peer -> when what it brought is paid for, in ms of the caller's clock; who brought something last comes last. */
  readonly #paidAtMs = new Map<string, number>()

  /** Counts `links` of a peer. Returns how long it must wait before it may bring more, in ms. */
  spend(peer: string, links: number, nowMs: number): number {
    const paidAtMs = Math.max(nowMs, this.#paidAtMs.get(peer) ?? 0) + links * LINK_MS
    this.#paidAtMs.delete(peer)
    this.#paidAtMs.set(peer, paidAtMs)
    const [oldest] = this.#paidAtMs.keys()
    if (this.#paidAtMs.size > PEERS_MAX && oldest !== undefined) this.#paidAtMs.delete(oldest)
    return Math.max(0, paidAtMs - nowMs - BURST_MS)
  }
}
