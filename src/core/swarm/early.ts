import type { Admitted } from '../envelope/index.ts'
import type { PeerMessage } from './types.ts'

/** Keys (threads or groups) that something waits for. */
const KEYS_MAX = 256
/** Things that wait for one key. */
const PER_KEY_MAX = 64
/** How long anything waits, in ms: longer than any honest reordering, short enough to stay small. */
const WAIT_MS = 5_000

type Held<T> = { readonly since: number; readonly items: T[] }

/**
 * What arrived before the thing that it refers to: envelopes before their NEED, group messages before FORM, entries before their
 * envelopes. Too early is not wrong (R5), but it is bounded.
 */
export class EarlyArrivals {
  readonly #envelopes = new Map<string, Held<Admitted>>()
  readonly #messages = new Map<string, Held<{ from: string; message: PeerMessage }>>()
  #nowMs = 0

  /** True when the key is new: then it is worth asking for. */
  holdEnvelope(key: string, admitted: Admitted): boolean {
    const isNew = !this.#envelopes.has(key)
    hold(this.#envelopes, key, admitted, this.#nowMs)
    return isNew
  }

  holdMessage(key: string, from: string, message: PeerMessage): void {
    hold(this.#messages, key, { from, message }, this.#nowMs)
  }

  /** Takes out what waited for a key, in order of arrival. */
  envelopes(key: string): readonly Admitted[] {
    return release(this.#envelopes, key)
  }

  messages(key: string): readonly { readonly from: string; readonly message: PeerMessage }[] {
    return release(this.#messages, key)
  }

  /** Drops what waited too long. */
  prune(nowMs: number): void {
    this.#nowMs = nowMs
    for (const held of [this.#envelopes, this.#messages]) {
      for (const [key, { since }] of held) {
        if (nowMs - since > WAIT_MS) held.delete(key)
      }
    }
  }
}

function hold<T>(held: Map<string, Held<T>>, key: string, item: T, nowMs: number): void {
  const known = held.get(key)
  if (known !== undefined) {
    if (known.items.length < PER_KEY_MAX) known.items.push(item)
    return
  }
  if (held.size < KEYS_MAX) held.set(key, { since: nowMs, items: [item] })
}

function release<T>(held: Map<string, Held<T>>, key: string): readonly T[] {
  const items = held.get(key)?.items ?? []
  held.delete(key)
  return items
}
