import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { decode } from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import type { Uint8ArrayList } from 'uint8arraylist'
import { AssertionError, MESSAGE_BYTES_MAX } from '../../core/base/index.ts'
import type { Logger } from '../../ports/index.ts'
import { DirectQueue } from './direct-queue.ts'
import type { Host } from './host.ts'
import { DIAL_MS_MAX, DIRECT_STREAMS_MAX, QUEUES_MAX } from './limits.ts'
import type { Members } from './members.ts'
import { didOf, peerIdOf } from './peer-did.ts'

/** What direct messages run on. */
export type DirectInit = {
  readonly host: Host
  readonly members: Members
  readonly protocol: string
  readonly logger: Logger
}

type Listener = (from: string, bytes: Uint8Array) => void

/**
 * Direct messages (R7): per peer and direction one long-lived stream of length-prefixed frames. The sender of a message is the
 * key that the connection was authenticated with.
 */
export class Direct {
  readonly #init: DirectInit
  /** By DID. */
  readonly #queues = new Map<string, DirectQueue>()
  readonly #listeners: Listener[] = []
  #signal = AbortSignal.abort()
  #dropped = 0

  constructor(init: DirectInit) {
    this.#init = init
  }

  /** Announces the protocol, before the host starts, so that the first identify already names it. */
  async register(): Promise<void> {
    await this.#init.host.handle(
      this.#init.protocol,
      (stream, connection) => this.#receive(stream, connection),
      { maxInboundStreams: DIRECT_STREAMS_MAX, maxOutboundStreams: DIRECT_STREAMS_MAX }
    )
  }

  /** Begins to send; until `signal` fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
    signal.addEventListener('abort', () => {
      for (const queue of this.#queues.values()) queue.close()
      this.#queues.clear()
    })
    this.#init.members.onChange((member, connected) => {
      if (connected) this.#queues.get(member.did)?.revive()
    })
  }

  onMessage(listener: Listener): void {
    this.#listeners.push(listener)
  }

  send(did: string, bytes: Uint8Array): void {
    if (this.#signal.aborted) return this.#drop(did, 1, 'not started')
    if (bytes.length > MESSAGE_BYTES_MAX) return this.#drop(did, 1, 'message too large')
    const queue = this.#queues.get(did) ?? this.#addQueue(did)
    if (queue === null) return this.#drop(did, 1, 'not the DID of a peer')
    queue.push(bytes)
  }

  /** Messages that wait, over all peers. */
  get waiting(): number {
    let sum = 0
    for (const queue of this.#queues.values()) sum += queue.size
    return sum
  }

  /** Messages given up since the start. */
  get dropped(): number {
    return this.#dropped
  }

  #addQueue(did: string): DirectQueue | null {
    const peerId = peerIdOf(did)
    if (peerId === null || peerId.equals(this.#init.host.peerId)) return null
    if (this.#queues.size >= QUEUES_MAX) this.#forgetIdle()
    if (this.#queues.size >= QUEUES_MAX) return null
    const queue = new DirectQueue({
      peerId,
      open: peer => this.#open(peer),
      onDrop: (count, reason) => this.#drop(did, count, reason)
    })
    this.#queues.set(did, queue)
    return queue
  }

  #forgetIdle(): void {
    for (const [did, queue] of this.#queues) if (queue.isIdle) this.#queues.delete(did)
  }

  #open(peerId: PeerId): Promise<Stream> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(DIAL_MS_MAX)])
    return this.#init.host.dialProtocol(peerId, this.#init.protocol, { signal })
  }

  #drop(did: string, count: number, reason: string): void {
    this.#dropped += count
    this.#init.logger.debug('direct messages dropped', { to: did, count, reason })
  }

  /** Lives as long as the stream. A frame above the limit ends it, since what follows cannot be trusted. */
  async #receive(stream: Stream, connection: Connection): Promise<void> {
    const from = didOf(connection.remotePeer)
    if (from === null || this.#signal.aborted) {
      stream.abort(new DOMException('not a swarm peer', 'AbortError'))
      return
    }
    this.#init.members.admit(connection)
    try {
      await pipe(
        stream,
        source => decode(source, { maxDataLength: MESSAGE_BYTES_MAX }),
        frames => this.#deliver(from, frames)
      )
      await stream.close()
    } catch (error) {
      this.#init.logger.debug('direct stream ended', { from, error: String(error) })
      stream.abort(error instanceof Error ? error : new DOMException('failed', 'AbortError'))
    }
  }

  async #deliver(from: string, frames: AsyncIterable<Uint8ArrayList>): Promise<void> {
    for await (const frame of frames) {
      // A copy: a view would keep the whole network buffer alive for as long as the message.
      const bytes = frame.slice()
      for (const listener of this.#listeners) this.#call(listener, from, bytes)
    }
  }

  #call(listener: Listener, from: string, bytes: Uint8Array): void {
    try {
      listener(from, bytes)
    } catch (error) {
      // A bug must end the process, not this stream.
      if (error instanceof AssertionError) {
        queueMicrotask(() => {
          throw error
        })
      }
      this.#init.logger.error('a listener failed on a direct message', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error)
      })
    }
  }
}
