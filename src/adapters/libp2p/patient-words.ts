import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { FORWARD_MS } from './limits.ts'

/** Gossipsub's protocols, whichever version peers agree on. */
const PROTOCOL = '/meshsub/'
/** Bytes of a frame that says of a single message, or of a few, that it need not be forwarded. */
const WORD_BYTES_MAX = 127
/** Tags of Protocol Buffers: the control part of a gossip RPC, and IDONTWANT in it (gossipsub 1.2). */
const CONTROL = 0x1a
const IDONTWANT = 0x2a
/** How long such words may wait, in ms: forwards wait longer for them. */
export const WORD_MS: number = FORWARD_MS / 2
/** Bytes of words that wait at most. */
const WORDS_BYTES_MAX = 4096

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
    if (waiting.byteLength > 0 && stream.writeStatus === 'writable') canSendMore = send(waiting)
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
