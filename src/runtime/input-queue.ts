import type { Input } from '../core/swarm/index.ts'

/** An input that waits; its time is stamped when it is stepped. */
export type QueuedInput = Input extends infer I
  ? I extends Input
    ? Omit<I, 'nowMs'>
    : never
  : never

/**
 * Inputs that may wait, by kind; counted over the whole queue, so that what can be repeated gives way first: peers send
 * messages again and gossip comes again, a command's sender is told. Ticks, peers, own envelopes and refused drafts are
 * always taken: their sources are bounded.
 */
export const MESSAGES_QUEUED_MAX = 4096
export const ENVELOPES_QUEUED_MAX = 6144
export const COMMANDS_QUEUED_MAX = 8192
/** Bytes of waiting messages and foreign envelopes; a message may have 1 MiB. */
export const QUEUED_BYTES_MAX: number = 64 * 1024 * 1024

/** The driver's bounded queue, first in, first out. */
export class InputQueue {
  #waiting: { readonly input: QueuedInput; readonly bytes: number }[] = []
  #bytes = 0

  get length(): number {
    return this.#waiting.length
  }

  /** False when the queue has no room for this kind. `bytes` is the size on the wire of what a stranger sent. */
  offer(input: QueuedInput, bytes = 0): boolean {
    if (this.#waiting.length >= capacityFor(input)) return false
    if (bytes > 0 && this.#bytes + bytes > QUEUED_BYTES_MAX) return false
    this.#waiting.push({ input, bytes })
    this.#bytes += bytes
    return true
  }

  /** The oldest inputs, at most `count`. */
  take(count: number): readonly QueuedInput[] {
    const taken = this.#waiting.splice(0, count)
    for (const item of taken) this.#bytes -= item.bytes
    return taken.map(item => item.input)
  }
}

function capacityFor(input: QueuedInput): number {
  switch (input.kind) {
    case 'message':
      return MESSAGES_QUEUED_MAX
    case 'envelope':
      return input.local ? Number.POSITIVE_INFINITY : ENVELOPES_QUEUED_MAX
    case 'command':
      return COMMANDS_QUEUED_MAX
    case 'tick':
    case 'peer':
    case 'draft-refused':
      return Number.POSITIVE_INFINITY
  }
}
