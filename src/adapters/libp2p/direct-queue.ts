import type { PeerId, Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { Uint8ArrayList } from 'uint8arraylist'
import {
  BATCH_BYTES_MAX,
  DRAIN_MS_MAX,
  QUEUE_BYTES_MAX,
  QUEUE_MESSAGES_MAX,
  UNREACHABLE_MS
} from './limits.ts'

/** What a queue needs. */
export type DirectQueueInit = {
  readonly peerId: PeerId
  /** A new stream to the peer, dialling when needed. Rejects when the peer cannot be reached. */
  readonly open: (peerId: PeerId) => Promise<Stream>
  /** Messages that were given up, and why. */
  readonly onDrop: (count: number, reason: string) => void
}

/**
 * Messages on their way to one peer, in order, over one stream that stays open. Bounded; the newest is dropped when it is
 * full. What the peer's stream has taken is no longer here: when the stream then breaks it is lost, and not sent twice.
 */
export class DirectQueue {
  readonly #init: DirectQueueInit
  #waiting: Uint8Array[] = []
  #bytes = 0
  #stream: Stream | null = null
  #isRunning = false
  #unreachableUntil = 0

  constructor(init: DirectQueueInit) {
    this.#init = init
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Holds nothing that would be lost with it. */
  get isIdle(): boolean {
    return !this.#isRunning && this.#stream === null && Date.now() >= this.#unreachableUntil
  }

  push(bytes: Uint8Array): void {
    if (
      this.#waiting.length >= QUEUE_MESSAGES_MAX ||
      this.#bytes + bytes.length > QUEUE_BYTES_MAX
    ) {
      this.#init.onDrop(1, 'queue full')
      return
    }
    if (!this.#isRunning && Date.now() < this.#unreachableUntil) {
      this.#init.onDrop(1, 'unreachable')
      return
    }
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
    if (!this.#isRunning) void this.#run()
  }

  /** The peer is here again: no need to wait before the next dial. */
  revive(): void {
    this.#unreachableUntil = 0
  }

  close(): void {
    this.#dropAll('closed')
    this.#stream?.abort(new DOMException('closed', 'AbortError'))
    this.#stream = null
  }

  /** Never rejects: one run at a time takes everything that waits. */
  async #run(): Promise<void> {
    this.#isRunning = true
    // Lets the messages of this turn gather into one write.
    await Promise.resolve()
    try {
      while (this.#waiting.length > 0) await this.#write(this.#nextBatch())
    } catch (error) {
      this.#unreachableUntil = Date.now() + UNREACHABLE_MS
      this.#dropAll(String(error))
    } finally {
      this.#isRunning = false
    }
  }

  /** The next message, and small ones that follow it. They stay in the queue until they are written. */
  #nextBatch(): { readonly count: number; readonly frames: Uint8ArrayList } {
    const frames = new Uint8ArrayList()
    let count = 0
    for (const bytes of this.#waiting) {
      if (count > 0 && frames.byteLength + bytes.length > BATCH_BYTES_MAX) break
      frames.append(encode.single(bytes))
      count++
    }
    return { count, frames }
  }

  async #write(batch: { readonly count: number; readonly frames: Uint8ArrayList }): Promise<void> {
    const { stream, canSendMore } = await this.#send(batch.frames)
    for (const bytes of this.#waiting.splice(0, batch.count)) this.#bytes -= bytes.length
    if (!canSendMore) await this.#drain(stream)
  }

  /** Back-pressure: waits until the peer has taken what was written. */
  async #drain(stream: Stream): Promise<void> {
    const stalled = new AbortController()
    const timer = setTimeout(() => stalled.abort(), DRAIN_MS_MAX)
    timer.unref()
    try {
      await stream.onDrain({ signal: stalled.signal })
    } catch (error) {
      // A peer that does not take its messages looks the same as one that is gone: begin again with a new stream.
      stream.abort(error instanceof Error ? error : new DOMException('stalled', 'AbortError'))
      if (this.#stream === stream) this.#stream = null
    } finally {
      clearTimeout(timer)
    }
  }

  /** A stream that broke since the last message is replaced once. */
  async #send(
    frames: Uint8ArrayList
  ): Promise<{ readonly stream: Stream; readonly canSendMore: boolean }> {
    const open = this.#openStream()
    if (open !== null) {
      try {
        return { stream: open, canSendMore: open.send(frames) }
      } catch {
        this.#stream = null
      }
    }
    const stream = await this.#reopen()
    return { stream, canSendMore: stream.send(frames) }
  }

  #openStream(): Stream | null {
    const stream = this.#stream
    return stream !== null && stream.status === 'open' && stream.writeStatus === 'writable'
      ? stream
      : null
  }

  async #reopen(): Promise<Stream> {
    this.#stream = null
    const stream = await this.#init.open(this.#init.peerId)
    stream.addEventListener('close', () => {
      if (this.#stream === stream) this.#stream = null
    })
    this.#stream = stream
    return stream
  }

  #dropAll(reason: string): void {
    if (this.#waiting.length > 0) this.#init.onDrop(this.#waiting.length, reason)
    this.#waiting = []
    this.#bytes = 0
  }
}
