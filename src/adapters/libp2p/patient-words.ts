import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { WORD_BYTES_MAX, WORD_MS, WORDS_BYTES_MAX } from './limits.ts'

/** Gossipsub's protocols, whichever version peers agree on. */
const PROTOCOL = '/meshsub/'
/** Tags of Protocol Buffers: the control part of a gossip RPC, and IDONTWANT in it (gossipsub 1.2). */
const CONTROL = 0x1a
const IDONTWANT = 0x2a

type Data = Uint8Array | Uint8ArrayList

/**
 * Lets a stream of gossip say that messages need not be forwarded a moment later, many at once or along with a message. Each by itself is a frame, an
 * encryption and a system call for every neighbour, at the very moment at which a message sets everybody to work. Asked each time: `mayWait`, whether neighbours
 * wait for such words at all.
 */
export function saysPatiently(stream: Stream, mayWait: () => boolean): Stream {
  const send = stream.send.bind(stream)
  let words = new Uint8ArrayList()
  let canSendMore = true
  let timer: NodeJS.Timeout | null = null
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const waiting = words
    words = new Uint8ArrayList()
    // What a stream that ends cannot take is a hint that nobody misses.
    if (waiting.byteLength === 0 || stream.writeStatus !== 'writable') return
    try {
      canSendMore = send(waiting)
    } catch (error) {
      stream.abort(error instanceof Error ? error : new DOMException('closed', 'AbortError'))
    }
  }
  stream.send = data => {
    if (!stream.protocol.startsWith(PROTOCOL)) return send(data)
    if (!isPatientWord(data) || !mayWait()) {
      flush()
      canSendMore = send(data)
      return canSendMore
    }
    words.append(data)
    if (words.byteLength >= WORDS_BYTES_MAX) flush()
    else timer ??= setTimeout(flush, WORD_MS).unref()
    return canSendMore
  }
  stream.addEventListener('drain', () => {
    canSendMore = true
  })
  stream.addEventListener('close', () => {
    if (timer !== null) clearTimeout(timer)
  })
  return stream
}

/** A length of one byte, and a control part that begins with IDONTWANT. */
function isPatientWord(data: Data): boolean {
  if (data.byteLength > WORD_BYTES_MAX || data.byteLength < 5) return false
  const head = data.subarray(0, 4)
  return head[0] === data.byteLength - 1 && head[1] === CONTROL && head[3] === IDONTWANT
}
