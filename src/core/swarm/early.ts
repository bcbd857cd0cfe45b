import { compareText } from '../base/index.ts'
import type { Admitted } from '../envelope/index.ts'
import type { PeerMessage } from './types.ts'

/** Keys (threads or groups) that something waits for. */
const KEYS_MAX = 1_024
/** Things that wait for one key, and how many of them may be of one source. */
const PER_KEY_MAX = 64
const PER_KEY_AND_SOURCE_MAX = 32
/** Bytes that wait in all, for envelopes and for messages each: whoever connects can send too early. */
const WAITING_BYTES_MAX: number = 16 * 1024 * 1024
/** What a message weighs beside its bytes. */
const MESSAGE_BYTES = 512
/** How long anything waits, in ms: longer than any honest reordering, short enough to stay small. */
const WAIT_MS = 5_000

/** `source` is who said it: the peer of a message, the sender of an envelope. */
type Waiting<T> = { readonly item: T; readonly bytes: number; readonly source: string }
type Held<T> = { readonly since: number; readonly items: Waiting<T>[] }
type Room<T> = { readonly held: Map<string, Held<T>>; bytes: number }

/**
 * What arrived before the thing that it refers to: envelopes before their NEED, group messages before FORM, entries before their
 * envelopes. Too early is not wrong (R5), but it is bounded. Where it is full, the source that has most of it makes way for another:
 * no one source can keep the others' out.
 */
export class EarlyArrivals {
  readonly #envelopes: Room<Admitted> = { held: new Map(), bytes: 0 }
  readonly #messages: Room<{ from: string; message: PeerMessage }> = { held: new Map(), bytes: 0 }
  #nowMs = 0

  /** True when the key is new: then it is worth asking for. */
  holdEnvelope(key: string, admitted: Admitted): boolean {
    const isNew = !this.#envelopes.held.has(key)
    const { bytes, envelope } = admitted
    const waiting = { item: admitted, bytes: bytes.length, source: envelope.sender }
    hold(this.#envelopes, key, waiting, this.#nowMs)
    return isNew
  }

  holdMessage(key: string, from: string, message: PeerMessage): void {
    const waiting = { item: { from, message }, bytes: sizeOf(message), source: from }
    hold(this.#messages, key, waiting, this.#nowMs)
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

function hold<T>(room: Room<T>, key: string, waiting: Waiting<T>, nowMs: number): void {
  const items = room.held.get(key)?.items ?? []
  const own = items.filter(({ source }) => source === waiting.source).length
  if (items.length >= PER_KEY_MAX || own >= PER_KEY_AND_SOURCE_MAX) return
  const isFull = (): boolean =>
    room.bytes + waiting.bytes > WAITING_BYTES_MAX ||
    (!room.held.has(key) && room.held.size >= KEYS_MAX)
  while (isFull()) if (!makeWay(room, waiting.source)) return
  room.bytes += waiting.bytes
  const known = room.held.get(key)
  if (known === undefined) room.held.set(key, { since: nowMs, items: [waiting] })
  else known.items.push(waiting)
}

/** Drops the oldest key of the source that takes most room, a key counting as a share of all keys; false when nobody has more than the one that asks. */
function makeWay<T>(room: Room<T>, source: string): boolean {
  const shares = new Map<string, number>()
  const add = (who: string, share: number): void => {
    shares.set(who, (shares.get(who) ?? 0) + share)
  }
  for (const { items } of room.held.values()) {
    for (const { source: who, bytes } of items) add(who, bytes)
    add(items[0]?.source ?? '', WAITING_BYTES_MAX / KEYS_MAX)
  }
  const [most] = [...shares].sort(([a, x], [b, y]) => y - x || compareText(a, b))
  if (most === undefined || most[1] <= 2 * (shares.get(source) ?? 0)) return false
  for (const [key, { items }] of room.held)
    if (items[0]?.source === most[0]) return release(room, key).length > 0
  return false
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
