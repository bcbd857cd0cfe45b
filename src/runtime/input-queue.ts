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
export const MESSAGES_QUEUED_MAX = 8_192
export const ENVELOPES_QUEUED_MAX = 12_288
export const COMMANDS_QUEUED_MAX = 16_384
/** Messages of one peer that may wait, so that one peer cannot fill the queue for all: two full batches. */
export const PEER_MESSAGES_QUEUED_MAX = 2_048
/** Bytes of waiting messages and foreign envelopes; a message may have 1 MiB. */
export const QUEUED_BYTES_MAX: number = 64 * 1024 * 1024
/** Bytes of one peer's waiting messages. */
export const PEER_BYTES_QUEUED_MAX: number = 16 * 1024 * 1024
/** Of the inputs that are taken together, this share (one in so many) is kept for what is not urgent, so that neither waits for ever. */
const PATIENT_SHARE = 4

type Waiting = { readonly input: QueuedInput; readonly bytes: number }
type PeerLoad = { messages: number; bytes: number }

/**
 * The driver's bounded queue. First in, first out, but for what groups wait for (Raft, votes, ticks): it does not stand behind what
 * gossip brings.
 */
export class InputQueue {
  #urgent: Waiting[] = []
  #patient: Waiting[] = []
  #bytes = 0
  readonly #peers = new Map<string, PeerLoad>()

  get length(): number {
    return this.#urgent.length + this.#patient.length
  }

  /** False when the queue has no room for this kind or this peer. `bytes` is the size on the wire of what a stranger sent. */
  offer(input: QueuedInput, bytes = 0): boolean {
    if (this.length >= capacityFor(input)) return false
    if (bytes > 0 && this.#bytes + bytes > QUEUED_BYTES_MAX) return false
    if (input.kind === 'message' && !this.#admit(input.from, bytes)) return false
    const lane = isUrgent(input) ? this.#urgent : this.#patient
    lane.push({ input, bytes })
    this.#bytes += bytes
    return true
  }

  /** The oldest inputs, at most `count`, the urgent ones first. */
  take(count: number): readonly QueuedInput[] {
    const patientMin = Math.min(this.#patient.length, Math.ceil(count / PATIENT_SHARE))
    const urgent = this.#urgent.splice(0, count - patientMin)
    const taken = [...urgent, ...this.#patient.splice(0, count - urgent.length)]
    for (const item of taken) this.#release(item)
    return taken.map(item => item.input)
  }

  #admit(peer: string, bytes: number): boolean {
    const load = this.#peers.get(peer) ?? { messages: 0, bytes: 0 }
    if (load.messages >= PEER_MESSAGES_QUEUED_MAX) return false
    if (load.bytes + bytes > PEER_BYTES_QUEUED_MAX) return false
    load.messages += 1
    load.bytes += bytes
    this.#peers.set(peer, load)
    return true
  }

  #release({ input, bytes }: Waiting): void {
    this.#bytes -= bytes
    const load = input.kind === 'message' ? this.#peers.get(input.from) : undefined
    if (input.kind !== 'message' || load === undefined) return
    load.messages -= 1
    load.bytes -= bytes
    if (load.messages === 0) this.#peers.delete(input.from)
  }
}

function isUrgent(input: QueuedInput): boolean {
  if (input.kind === 'tick') return true
  return (
    input.kind === 'message' && (input.message.type === 'raft' || input.message.type === 'vote')
  )
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
    case 'archived':
      return Number.POSITIVE_INFINITY
  }
}
