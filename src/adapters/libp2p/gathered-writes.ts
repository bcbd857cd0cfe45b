import type {
  ConnectionEncrypter,
  MessageStream,
  SecureConnectionOptions,
  Stream,
  StreamMuxer,
  StreamMuxerFactory
} from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { GATHERED_BYTES_MAX } from './limits.ts'
import { WindowUpdates } from './window-updates.ts'

/**
 * A muxer whose frames of one turn of the event loop are encrypted and written together. Envelopes and votes
 * are small and come in bursts; libp2p would encrypt each of them by itself and make two system calls for it. `adapt` is given each stream that is
 * opened here, before anything is said on it.
 */
export function gatheringMuxer<Components>(
  create: (components: Components) => StreamMuxerFactory,
  adapt: (stream: Stream) => Stream = stream => stream
): (components: Components) => StreamMuxerFactory {
  return components => {
    const factory = create(components)
    return {
      protocol: factory.protocol,
      createStreamMuxer: stream => {
        const writes = new GatheredWrites(stream)
        const muxer = closingAfter(factory.createStreamMuxer(stream), () => writes.flush())
        const open = muxer.createStream.bind(muxer)
        muxer.createStream = async options => adapt(await open(options))
        return muxer
      }
    }
  }
}

/** An encrypter that hands the length and the text of an encrypted message to the socket as one piece. */
export function joiningEncrypter<Components, Extension>(
  create: (components: Components) => ConnectionEncrypter<Extension>
): (components: Components) => ConnectionEncrypter<Extension> {
  return components => {
    const encrypter = create(components)
    return {
      protocol: encrypter.protocol,
      secureInbound: (stream: MessageStream, options?: SecureConnectionOptions) =>
        encrypter.secureInbound(joined(stream), options),
      secureOutbound: (stream: MessageStream, options?: SecureConnectionOptions) =>
        encrypter.secureOutbound(joined(stream), options)
    }
  }
}

/** What a muxer writes to one connection. */
class GatheredWrites {
  readonly #stream: MessageStream
  readonly #send: (data: Uint8Array | Uint8ArrayList) => boolean
  readonly #updates = new WindowUpdates()
  #frames = new Uint8ArrayList()
  #canSendMore = true
  #timer: NodeJS.Immediate | null = null

  constructor(stream: MessageStream) {
    this.#stream = stream
    this.#send = stream.send.bind(stream)
    stream.send = data => this.#add(data)
    // Heard before the muxer hears it and goes on.
    stream.addEventListener('drain', () => {
      this.#canSendMore = true
    })
  }

  /** Writes what was gathered. What a closed connection cannot take is lost with it. */
  flush(): void {
    if (this.#timer !== null) clearImmediate(this.#timer)
    this.#timer = null
    if (this.#frames.byteLength === 0) return
    const frames = this.#frames
    this.#frames = new Uint8ArrayList()
    if (this.#stream.status !== 'open') return
    try {
      // One piece: the cipher would take each part of a list by itself.
      this.#canSendMore = this.#send(frames.subarray())
    } catch (error) {
      this.#stream.abort(error instanceof Error ? error : new DOMException('closed', 'AbortError'))
    }
  }

  /** The muxer hands over one frame at a time. */
  #add(data: Uint8Array | Uint8ArrayList): boolean {
    // The stream says by itself that it is closed.
    if (this.#stream.status !== 'open') return this.#send(data)
    const frame = this.#updates.take(data)
    if (frame === null) return this.#canSendMore
    this.#frames.append(frame)
    if (this.#frames.byteLength >= GATHERED_BYTES_MAX) this.flush()
    else this.#timer ??= setImmediate(() => this.flush())
    return this.#canSendMore
  }
}

/** The muxer's farewell leaves before the connection under it is closed. */
function closingAfter(muxer: StreamMuxer, flush: () => void): StreamMuxer {
  const close = muxer.close.bind(muxer)
  const abort = muxer.abort.bind(muxer)
  muxer.close = options => close(options).finally(flush)
  muxer.abort = error => {
    abort(error)
    flush()
  }
  return muxer
}

function joined(stream: MessageStream): MessageStream {
  const send = stream.send.bind(stream)
  stream.send = data =>
    send(
      data instanceof Uint8Array || data.byteLength > GATHERED_BYTES_MAX ? data : data.subarray()
    )
  return stream
}
