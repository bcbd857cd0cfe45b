import type { Admitted } from '../envelope/index.ts'
import type { PeerMessage } from './types.ts'

/** Keys (threads or groups) that something waits for. */
const KEYS_MAX = 256
/** Things that wait for one key. */
const PER_KEY_MAX = 64
/** Bytes that wait in all, for envelopes and for messages each: whoever connects can send too early. */
const WAITING_BYTES_MAX: number = 16 * 1024 * 1024
/** What a message weighs beside its bytes. */
const MESSAGE_BYTES = 512
/** How long anything waits, in ms: longer than any honest reordering, short enough to stay small. */
const WAIT_MS = 5_000

type Held<T> = {
  readonly since: number
  readonly items: { readonly item: T; readonly bytes: number }[]
}
type Room<T> = { readonly held: Map<string, Held<T>>; bytes: number }

/**
 * What arrived before the thing that it refers to: envelopes before their NEED, group messages before FORM, entries before their
 * envelopes. Too early is not wrong (R5), but it is bounded.
 */
export class EarlyArrivals {
  readonly #envelopes: Room<Admitted> = { held: new Map(), bytes: 0 }
  readonly #messages: Room<{ from: string; message: PeerMessage }> = { held: new Map(), bytes: 0 }
  #nowMs = 0

  /** True when the key is new: then it is worth asking for. */
  holdEnvelope(key: string, admitted: Admitted): boolean {
    const isNew = !this.#envelopes.held.has(key)
    hold(this.#envelopes, key, { item: admitted, bytes: admitted.bytes.length }, this.#nowMs)
    return isNew
  }

  holdMessage(key: string, from: string, message: PeerMessage): void {
    hold(this.#messages, key, { item: { from, message }, bytes: sizeOf(message) }, this.#nowMs)
  }

  /** Takes out what waited for a key, in order of arrival. */
  envelopes(key: string): readonly Admitted[] {
    return release(this.#envelopes, key)
  }

  messages(key: string): readonly { readonly from: string; readonly message: PeerMessage }[] {
    return release(this.#messages, key)
  }

  /** Drops what waits for a key: it will not come. */
  forget(key: string): void {
    release(this.#envelopes, key)
    release(this.#messages, key)
  }

  /** Drops what waited too long. */
  prune(nowMs: number): void {
    this.#nowMs = nowMs
    prune(this.#envelopes, nowMs)
    prune(this.#messages, nowMs)
  }
}

function hold<T>(
  room: Room<T>,
  key: string,
  waiting: { readonly item: T; readonly bytes: number },
  nowMs: number
): void {
  if (room.bytes + waiting.bytes > WAITING_BYTES_MAX) return
  const known = room.held.get(key)
  if (known === undefined ? room.held.size >= KEYS_MAX : known.items.length >= PER_KEY_MAX) return
  room.bytes += waiting.bytes
  if (known === undefined) room.held.set(key, { since: nowMs, items: [waiting] })
  else known.items.push(waiting)
}

function prune<T>(room: Room<T>, nowMs: number): void {
  for (const [key, { since }] of room.held) if (nowMs - since > WAIT_MS) release(room, key)
}

function release<T>(room: Room<T>, key: string): readonly T[] {
  const waiting = room.held.get(key)?.items ?? []
  room.held.delete(key)
  for (const { bytes } of waiting) room.bytes -= bytes
  return waiting.map(({ item }) => item)
}

function sizeOf(message: PeerMessage): number {
  if (message.type === 'invite') return MESSAGE_BYTES + message.need.length
  const entries =
    message.type === 'log'
      ? message.entries
      : message.type === 'raft' && message.message.type === 'append'
        ? message.message.entries
        : []
  return entries.reduce((sum, entry) => sum + entry.data.length + 64, MESSAGE_BYTES)
}
