import type { Uint8ArrayList } from 'uint8arraylist'
import { WINDOW_UPDATE_BYTES, WINDOW_UPDATES_MAX } from './limits.ts'

/** A yamux header: version, type, flags, stream, length. */
const HEADER_SIZE = 12
const WINDOW_UPDATE = 1
const RESET = 8

/**
 * The window updates of one yamux connection. libp2p answers every piece of data with one, which is a frame, an encryption and a system call on either
 * side for each message. Here they wait until they are worth a frame: a sender always has the rest of its window, three quarters of the least there is.
 */
export class WindowUpdates {
  /** Bytes that were read and not told of, by stream; the stream that has waited longest first. */
  readonly #waiting = new Map<number, number>()

  /** What is to be sent in place of a frame: itself, another one, or nothing yet. */
  take(frame: Uint8Array | Uint8ArrayList): Uint8Array | Uint8ArrayList | null {
    if (!(frame instanceof Uint8Array) || frame.length !== HEADER_SIZE) return frame
    const header = new DataView(frame.buffer, frame.byteOffset, HEADER_SIZE)
    if (header.getUint8(1) !== WINDOW_UPDATE) return frame
    const stream = header.getUint32(4)
    const flags = header.getUint16(2)
    if ((flags & RESET) !== 0) this.#waiting.delete(stream)
    if (flags !== 0) return frame
    const bytes = header.getUint32(8) + (this.#waiting.get(stream) ?? 0)
    this.#waiting.delete(stream)
    if (bytes >= WINDOW_UPDATE_BYTES) return windowUpdate(stream, bytes)
    this.#waiting.set(stream, bytes)
    return this.#waiting.size > WINDOW_UPDATES_MAX ? this.#takeOldest() : null
  }

  /** Streams end without a word here: their places are needed again. */
  #takeOldest(): Uint8Array | null {
    for (const [stream, bytes] of this.#waiting) {
      this.#waiting.delete(stream)
      return windowUpdate(stream, bytes)
    }
    return null
  }
}

function windowUpdate(stream: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(HEADER_SIZE)
  const header = new DataView(frame.buffer)
  header.setUint8(1, WINDOW_UPDATE)
  header.setUint32(4, stream)
  header.setUint32(8, bytes)
  return frame
}
