import { ok, type Result, refuse } from '../core/base/index.ts'
import { checkNotAhead, type WitnessedLog } from '../core/history/index.ts'
import type { Clock, Exchange, VerifySignature } from '../ports/index.ts'
import { checkCertified } from './certified-leaf.ts'
import {
  COSIGN_BYTES_MAX,
  COSIGN_HOUR_BYTES_ALL_MAX,
  COSIGN_HOUR_BYTES_MAX,
  COSIGN_HOUR_BYTES_SHARE,
  COSIGN_MS_MAX,
  FETCHED_BYTES_MAX,
  FETCHED_IDLE_MS,
  FETCHING_PEERS_MAX
} from './limits.ts'
import type { CertifiedLeaf } from './messages.ts'
import { askPeer } from './peers.ts'

export type LeafFetcherInit = {
  readonly exchange: Exchange
  readonly verify: VerifySignature
  readonly clock: Clock
  readonly limits?: FetchLimits
}

/** In bytes: of one request, of one peer's requests in an hour, of all peers', of a peer's in any case; of leaves that wait. */
export type FetchLimits = {
  readonly request: number
  readonly hour: number
  readonly all: number
  readonly share: number
  readonly fetched: number
}

export type FetchRequest = {
  readonly size: number
  readonly signal: AbortSignal
  /** The hour of all is not over for it. */
  readonly isReserved: boolean
}

/** Leaves of a log that were checked, and are not cosigned yet. */
type Fetched = {
  /** Of the log that is held: where they begin. */
  readonly from: number
  readonly leaves: Uint8Array[]
  bytes: number
  usedMs: number
  isBusy: boolean
}

/** An hour, in ms: the time for which the bytes of a peer are counted. */
const HOUR_MS = 3_600_000
const LIMITS: FetchLimits = {
  request: COSIGN_BYTES_MAX,
  hour: COSIGN_HOUR_BYTES_MAX,
  all: COSIGN_HOUR_BYTES_ALL_MAX,
  share: COSIGN_HOUR_BYTES_SHARE,
  fetched: FETCHED_BYTES_MAX
}

/**
 * Fetches the leaves that a witness lacks, from the log's own node and each with its certificate, which costs both sides: so one request has a time and a number
 * of bytes, each peer has its bytes an hour, and all together have theirs, of which each whose log is held has its part. What came until then waits for the next request.
 */
export class LeafFetcher {
  readonly #init: LeafFetcherInit
  readonly #limits: FetchLimits
  /** By origin, least recently used first. */
  readonly #fetched = new Map<string, Fetched>()
  /** Bytes that peers gave in their current hour, least recently begun first. */
  readonly #hours = new Map<string, { readonly sinceMs: number; bytes: number }>()

  /** Bytes that all gave in the current hour. */
  #hour = { sinceMs: 0, bytes: 0 }

  constructor(init: LeafFetcherInit) {
    this.#init = init
    this.#limits = init.limits ?? LIMITS
  }

  /**
   * The leaves from `log.size` on and before `size`. One call at a time for an origin. Refusals: `WITNESS_BUSY` when there is no more room in the request or the
   * hour, `CHECKPOINT_LEAVES`, `LEAF_AHEAD` and those of `checkCertified` for leaves that are none. Rejects when the peer cannot be asked, or `signal` says that nobody waits.
   */
  async fetch(
    from: string,
    log: WitnessedLog,
    { size, signal, isReserved }: FetchRequest
  ): Promise<Result<readonly Uint8Array[]>> {
    const { clock } = this.#init
    const fetched = this.#begin(log)
    const deadline = new AbortController()
    const cancel = clock.after(COSIGN_MS_MAX, () => deadline.abort())
    fetched.isBusy = true
    try {
      const stop = AbortSignal.any([signal, deadline.signal])
      const done = await this.#fill(from, log, { fetched, size, stop, isReserved })
      if (!done.ok) {
        if (done.refusal.code !== 'WITNESS_BUSY') this.#fetched.delete(log.origin)
        return done
      }
      this.#fetched.delete(log.origin)
      return ok(fetched.leaves.slice(0, Math.max(0, size - log.size)))
    } catch (error) {
      if (deadline.signal.aborted) return LATER
      throw error
    } finally {
      cancel()
      fetched.isBusy = false
      fetched.usedMs = clock.nowMs()
    }
  }

  async #fill(
    from: string,
    { origin, size: held }: WitnessedLog,
    {
      fetched,
      size,
      stop,
      isReserved
    }: { fetched: Fetched; size: number; stop: AbortSignal; isReserved: boolean }
  ): Promise<Result<void>> {
    const { exchange, verify } = this.#init
    let bytes = 0
    while (held + fetched.leaves.length < size) {
      if (bytes >= this.#limits.request || !this.#hasRoom(from, { isHeld: held > 0, isReserved }))
        return LATER
      const question = { origin, from: held + fetched.leaves.length, certified: true } as const
      const { leaves } = await askPeer(exchange, from, { type: 'leaves', ...question }, stop)
      if (leaves.length === 0)
        return refuse('CHECKPOINT_LEAVES', 'the log does not deliver the leaves that it signed')
      for (const item of leaves.slice(0, size - held - fetched.leaves.length)) {
        stop.throwIfAborted()
        const leaf = await checkCertified(item, verify)
        if (!leaf.ok) return leaf
        const ahead = checkNotAhead(leaf.value, this.#init.clock.nowMs())
        if (!ahead.ok) return ahead
        bytes += this.#count(from, item, isReserved)
        fetched.leaves.push(item.leaf)
        fetched.bytes += item.leaf.length
      }
      if (!this.#makeRoom()) return refuse('WITNESS_FULL', 'the leaves that are new take too much')
    }
    return ok(undefined)
  }

  /** What came before, where the log is still the same. */
  #begin({ origin, size }: WitnessedLog): Fetched {
    const nowMs = this.#init.clock.nowMs()
    for (const [other, { usedMs, isBusy }] of this.#fetched)
      if (!isBusy && usedMs < nowMs - FETCHED_IDLE_MS) this.#fetched.delete(other)
    const known = this.#fetched.get(origin)
    const isUseful = known !== undefined && known.from === size
    const fetched = isUseful
      ? known
      : { from: size, leaves: [], bytes: 0, usedMs: nowMs, isBusy: true }
    this.#fetched.delete(origin)
    this.#fetched.set(origin, fetched)
    return fetched
  }

  /** Lets go of what waits longest; false when what is being fetched is too much by itself. */
  #makeRoom(): boolean {
    let bytes = 0
    for (const fetched of this.#fetched.values()) bytes += fetched.bytes
    for (const [origin, fetched] of this.#fetched) {
      if (bytes <= this.#limits.fetched) return true
      if (fetched.isBusy) continue
      this.#fetched.delete(origin)
      bytes -= fetched.bytes
    }
    return bytes <= this.#limits.fetched
  }

  #hasRoom(
    did: string,
    { isHeld, isReserved }: { readonly isHeld: boolean; readonly isReserved: boolean }
  ): boolean {
    const { hour, all, share } = this.#limits
    const nowMs = this.#init.clock.nowMs()
    if (nowMs >= this.#hour.sinceMs + HOUR_MS) this.#hour = { sinceMs: nowMs, bytes: 0 }
    const own = this.#hours.get(did)
    if (own !== undefined && nowMs >= own.sinceMs + HOUR_MS) this.#hours.delete(did)
    const bytes = this.#hours.get(did)?.bytes ?? 0
    if (bytes >= hour) return false
    return isReserved || this.#hour.bytes < all || (isHeld && bytes < share)
  }

  #count(did: string, { leaf, certificate }: CertifiedLeaf, isReserved: boolean): number {
    const bytes = leaf.length + (certificate?.length ?? 0)
    const hour = this.#hours.get(did) ?? { sinceMs: this.#init.clock.nowMs(), bytes: 0 }
    hour.bytes += bytes
    if (!isReserved) this.#hour.bytes += bytes
    this.#hours.set(did, hour)
    const [oldest] = this.#hours.keys()
    if (this.#hours.size > FETCHING_PEERS_MAX && oldest !== undefined) this.#hours.delete(oldest)
    return bytes
  }
}

const LATER: Result<never> = refuse(
  'WITNESS_BUSY',
  'more of this log is new than is looked at in one go: what came is kept for some time, ask again'
)
