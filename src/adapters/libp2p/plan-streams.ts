import type { Connection, Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { assert } from '../../core/base/index.ts'
import type { Logger, PlanStreams } from '../../ports/index.ts'
import { PeerUnreachableError, reasonOf } from './errors.ts'
import type { Host } from './host.ts'
import {
  BANNED_MAX,
  BANNED_MS,
  DIAL_MS_MAX,
  FRAME_BYTES_MAX,
  FRAME_MS_MAX,
  PLAN_STREAMS_MAX,
  QUEUES_MAX
} from './limits.ts'
import { pacedChunks, pacedFrames } from './paced-frames.ts'
import { didOf, peerIdOf } from './peer-did.ts'

export type PlanStreamsInit = {
  readonly host: Host
  readonly protocol: string
  readonly logger: Logger
}

/** What a peer writes when it is ready for the next frame. */
const READY = 1
/** Bytes of such answers that may wait: one frame is under way at a time. */
const ANSWERS_BYTES_MAX = 64

type Outbound = { readonly stream: Stream; readonly handled: AsyncGenerator<number> }

/** Plan sync over libp2p: a stream of length-prefixed frames to each peer, on which one byte comes back for each frame. */
export class HostPlanStreams implements PlanStreams {
  readonly #init: PlanStreamsInit
  /** By DID. */
  readonly #outbound = new Map<string, Outbound>()
  /** The latest of each peer. */
  readonly #inbound = new Map<string, Stream>()
  /** Peers whose stream is being read. */
  readonly #reading = new Set<string>()
  /** DID -> until when, ms of the monotonic clock; the oldest are forgotten. */
  readonly #banned = new Map<string, number>()
  #listener: (from: string, frame: Uint8Array) => Promise<void> = async () => undefined
  #signal = AbortSignal.abort()

  constructor(init: PlanStreamsInit) {
    this.#init = init
  }

  /** Announces the protocol, before the host starts. */
  async register(): Promise<void> {
    await this.#init.host.handle(
      this.#init.protocol,
      (stream, connection) => this.#receive(stream, connection),
      { maxInboundStreams: PLAN_STREAMS_MAX, maxOutboundStreams: PLAN_STREAMS_MAX }
    )
  }

  /** Begins; until `signal` fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
    signal.addEventListener('abort', () => {
      for (const did of [...this.#outbound.keys(), ...this.#inbound.keys()]) this.#cut(did)
    })
  }

  onFrame(listener: (from: string, frame: Uint8Array) => Promise<void>): void {
    this.#listener = listener
  }

  async send(did: string, frame: Uint8Array): Promise<void> {
    assert(frame.length <= FRAME_BYTES_MAX, 'a frame is within its limit')
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(FRAME_MS_MAX)])
    try {
      const { stream, handled } = await this.#open(did)
      stream.send(encode.single(frame))
      const answer = await beforeEndOf(signal, handled.next())
      if (answer.value !== READY) throw new DOMException('the stream ended', 'AbortError')
    } catch (error) {
      this.#forget(did)
      throw new PeerUnreachableError(did, reasonOf(error), error)
    }
  }

  ban(did: string): void {
    const [oldest] = this.#banned.keys()
    if (this.#banned.size >= BANNED_MAX && oldest !== undefined) this.#banned.delete(oldest)
    this.#banned.set(did, performance.now() + BANNED_MS)
    this.#cut(did)
  }

  isBanned(did: string): boolean {
    const until = this.#banned.get(did)
    if (until === undefined) return false
    if (until > performance.now()) return true
    return !this.#banned.delete(did)
  }

  async #open(did: string): Promise<Outbound> {
    const known = this.#outbound.get(did)
    if (known?.stream.status === 'open' && known.stream.writeStatus === 'writable') return known
    const peerId = peerIdOf(did)
    if (peerId === null || this.isBanned(did) || this.#outbound.size >= QUEUES_MAX)
      throw new DOMException('no stream to this peer is wanted', 'AbortError')
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(DIAL_MS_MAX)])
    const stream = await this.#init.host.dialProtocol(peerId, this.#init.protocol, { signal })
    const outbound = { stream, handled: bytesOf(stream) }
    this.#outbound.set(did, outbound)
    stream.addEventListener('close', () => {
      if (this.#outbound.get(did) === outbound) this.#outbound.delete(did)
    })
    return outbound
  }

  async #receive(stream: Stream, connection: Connection): Promise<void> {
    const from = didOf(connection.remotePeer)
    if (from === null || this.#signal.aborted || this.isBanned(from)) {
      stream.abort(new DOMException('not wanted', 'AbortError'))
      return
    }
    // A peer begins a new stream when it has given the last one up.
    this.#inbound.get(from)?.abort(new DOMException('replaced', 'AbortError'))
    this.#inbound.set(from, stream)
    stream.maxReadBufferLength = FRAME_BYTES_MAX
    stream.pause()
    if (!this.#reading.has(from)) await this.#readLatest(from)
  }

  /** One stream of a peer after the other: its next frame is not read before the last one is answered, whatever streams it opens meanwhile. */
  async #readLatest(from: string): Promise<void> {
    this.#reading.add(from)
    try {
      for (;;) {
        const stream = this.#inbound.get(from)
        if (stream?.status !== 'open') return
        await this.#read(from, stream)
        if (this.#inbound.get(from) === stream) this.#inbound.delete(from)
      }
    } finally {
      this.#reading.delete(from)
    }
  }

  async #read(from: string, stream: Stream): Promise<void> {
    try {
      for await (const frame of pacedFrames(stream)) {
        await this.#listener(from, frame)
        if (stream.writeStatus !== 'writable') break
        stream.send(Uint8Array.of(READY))
      }
      await stream.close()
    } catch (error) {
      this.#init.logger.debug('plan stream ended', { from, error: String(error) })
      stream.abort(error instanceof Error ? error : new DOMException('failed', 'AbortError'))
    }
  }

  #cut(did: string): void {
    this.#forget(did)
    this.#inbound.get(did)?.abort(new DOMException('cut', 'AbortError'))
    this.#inbound.delete(did)
  }

  #forget(did: string): void {
    this.#outbound.get(did)?.stream.abort(new DOMException('given up', 'AbortError'))
    this.#outbound.delete(did)
  }
}

/** Bytes that come back, one at a time. A peer that sends more than were asked for loses the stream. */
async function* bytesOf(stream: Stream): AsyncGenerator<number> {
  stream.maxReadBufferLength = ANSWERS_BYTES_MAX
  for await (const chunk of pacedChunks(stream)) {
    if (chunk.byteLength > ANSWERS_BYTES_MAX) return
    for (const byte of chunk.subarray()) yield byte
  }
}

/** What a promise gives, if it does so before the signal fires. Nothing is left to reject afterwards, which would end the process. */
async function beforeEndOf<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
