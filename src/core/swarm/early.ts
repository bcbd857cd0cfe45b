import type { Admitted } from '../envelope/index.ts'
import { EarlyRoom } from './early-room.ts'
import type { PeerMessage } from './types.ts'

/** What a message weighs beside its bytes. */
const MESSAGE_BYTES = 512

/**
 * What arrived before the thing that it refers to: envelopes before their NEED, group messages before FORM, entries before their
 * envelopes. Too early is not wrong (R5), but it is bounded, and no one source can keep the others' out. The source of a message is the peer, that
 * of an envelope its sender.
 */
export class EarlyArrivals {
  readonly #envelopes = new EarlyRoom<Admitted>()
  readonly #messages = new EarlyRoom<{ from: string; message: PeerMessage }>()
  #nowMs = 0

  /** True when the key is new: then it is worth asking for. */
  holdEnvelope(key: string, admitted: Admitted): boolean {
    const isNew = !this.#envelopes.has(key)
    const { bytes, envelope } = admitted
    const waiting = { item: admitted, bytes: bytes.length, source: envelope.sender }
    this.#envelopes.hold(key, waiting, this.#nowMs)
    return isNew
  }

  holdMessage(key: string, from: string, message: PeerMessage): void {
    const waiting = { item: { from, message }, bytes: sizeOf(message), source: from }
    this.#messages.hold(key, waiting, this.#nowMs)
  }

  /** Takes out what waited for a key, in order of arrival. */
  envelopes(key: string): readonly Admitted[] {
    return this.#envelopes.release(key)
  }

  messages(key: string): readonly { readonly from: string; readonly message: PeerMessage }[] {
    return this.#messages.release(key)
  }

  /** Drops what waits for a key: it will not come. */
  forget(key: string): void {
    this.#envelopes.release(key)
    this.#messages.release(key)
  }

  /** Drops what waited too long. */
  prune(nowMs: number): void {
    this.#nowMs = nowMs
    this.#envelopes.prune(nowMs)
    this.#messages.prune(nowMs)
  }
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
