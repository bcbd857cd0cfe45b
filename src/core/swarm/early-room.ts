import { type Ranked, Ranking } from './ranking.ts'

/** Keys (threads or groups) that something waits for. */
const KEYS_MAX = 1_024
/** Things that wait for one key, and how many of them may be of one source. */
const PER_KEY_MAX = 64
const PER_KEY_AND_SOURCE_MAX = 32
/** Bytes that wait in all, for envelopes and for messages each: whoever connects can send too early. */
const WAITING_BYTES_MAX: number = 16 * 1024 * 1024
/** What whoever is the first at a key is charged for it: its part of all keys, as bytes. */
const KEY_CHARGE: number = WAITING_BYTES_MAX / KEYS_MAX
/** How long anything waits, in ms: longer than any honest reordering, short enough to stay small. */
const WAIT_MS = 5_000

/** Something that waits, and who said it. */
export type Waiting<T> = { readonly item: T; readonly bytes: number; readonly source: string }
type Held<T> = { readonly since: number; items: Waiting<T>[] }

/** What one source has here: its bytes and charges as weight, and of how many things each key waits, its oldest key first. */
type Share = Ranked & { readonly source: string; readonly keys: Map<string, number> }

/**
 * Things that wait for keys, said by sources for whom nobody vouches. Where it is full, the source that has most makes way for one that has
 * less than half of that: what it said for its oldest key goes, and nothing that others said. Shares are kept as things come and go, so that what
 * comes costs about the same however much is here: whoever fills the room must not buy time with each further message.
 */
export class EarlyRoom<T> {
  /** The oldest first. */
  readonly #held = new Map<string, Held<T>>()
  readonly #shares = new Map<string, Share>()
  readonly #ranking = new Ranking<Share>()
  #bytes = 0

  has(key: string): boolean {
    return this.#held.has(key)
  }

  hold(key: string, waiting: Waiting<T>, nowMs: number): void {
    const { source, bytes } = waiting
    const own = this.#shares.get(source)?.keys.get(key) ?? 0
    const count = this.#held.get(key)?.items.length ?? 0
    if (count >= PER_KEY_MAX || own >= PER_KEY_AND_SOURCE_MAX) return
    while (this.#isFull(key, bytes)) if (!this.#makeWay(source)) return
    const share = this.#shareOf(source)
    share.keys.set(key, own + 1)
    this.#bytes += bytes
    this.#ranking.weigh(share, bytes)
    const held = this.#held.get(key)
    if (held !== undefined) held.items.push(waiting)
    else {
      this.#held.set(key, { since: nowMs, items: [waiting] })
      this.#ranking.weigh(share, KEY_CHARGE)
    }
  }

  /** Takes out what waits for a key, in order of arrival. */
  release(key: string): readonly T[] {
    return this.#take(key, () => true).map(({ item }) => item)
  }

  /** Drops what waited too long. */
  prune(nowMs: number): void {
    for (const [key, { since }] of this.#held) {
      if (nowMs - since <= WAIT_MS) return
      this.release(key)
    }
  }

  #isFull(key: string, bytes: number): boolean {
    return (
      this.#bytes + bytes > WAITING_BYTES_MAX ||
      (!this.#held.has(key) && this.#held.size >= KEYS_MAX)
    )
  }

  /** False when nobody has more than twice of what the one that asks has. */
  #makeWay(source: string): boolean {
    const most = this.#ranking.heaviest
    if (most === undefined || most.weight <= 2 * (this.#shares.get(source)?.weight ?? 0))
      return false
    for (const key of most.keys.keys())
      return this.#take(key, waiting => waiting.source === most.source).length > 0
    return false
  }

  /** The key's charge passes on to the first of those that stay. */
  #take(key: string, goes: (waiting: Waiting<T>) => boolean): Waiting<T>[] {
    const held = this.#held.get(key)
    const first = held?.items[0]
    if (held === undefined || first === undefined) return []
    const taken = held.items.filter(goes)
    held.items = held.items.filter(waiting => !goes(waiting))
    const next = held.items[0]
    this.#ranking.weigh(this.#shareOf(first.source), -KEY_CHARGE)
    if (next === undefined) this.#held.delete(key)
    else this.#ranking.weigh(this.#shareOf(next.source), KEY_CHARGE)
    for (const waiting of taken) this.#discharge(key, waiting)
    return taken
  }

  #discharge(key: string, { source, bytes }: Waiting<T>): void {
    const share = this.#shareOf(source)
    const left = (share.keys.get(key) ?? 0) - 1
    if (left > 0) share.keys.set(key, left)
    else share.keys.delete(key)
    this.#bytes -= bytes
    this.#ranking.weigh(share, -bytes)
    if (share.keys.size > 0) return
    this.#shares.delete(source)
    this.#ranking.remove(share)
  }

  #shareOf(source: string): Share {
    const known = this.#shares.get(source)
    if (known !== undefined) return known
    const share = { source, weight: 0, place: 0, keys: new Map<string, number>() }
    this.#shares.set(source, share)
    this.#ranking.add(share)
    return share
  }
}
