import type { Connection, Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { assert } from '../../core/base/index.ts'
import type { Exchange, Logger } from '../../ports/index.ts'
import { PeerUnreachableError, reasonOf } from './errors.ts'
import type { Host } from './host.ts'
import {
  FRAME_BYTES_MAX,
  QUESTION_MS_MAX,
  QUESTIONS_MAX,
  QUESTIONS_PER_PEER_MAX
} from './limits.ts'
import { pacedFrames } from './paced-frames.ts'
import { didOf, peerIdOf } from './peer-did.ts'

export type ExchangeInit = {
  readonly host: Host
  readonly protocol: string
  readonly logger: Logger
}

/** Questions over libp2p: a stream for each, one length-prefixed frame there and one back. */
export class HostExchange implements Exchange {
  readonly #init: ExchangeInit
  /** Questions that are being answered, by DID. */
  readonly #open = new Map<string, number>()
  #answer: Parameters<Exchange['onAsk']>[0] = null
  #signal = AbortSignal.abort()

  constructor(init: ExchangeInit) {
    this.#init = init
  }

  /** Announces the protocol, before the host starts. */
  async register(): Promise<void> {
    await this.#init.host.handle(
      this.#init.protocol,
      (stream, connection) => this.#receive(stream, connection),
      { maxInboundStreams: QUESTIONS_PER_PEER_MAX, maxOutboundStreams: QUESTIONS_PER_PEER_MAX }
    )
  }

  /** Begins; until `signal` fires. */
  start(signal: AbortSignal): void {
    this.#signal = signal
  }

  onAsk(answer: Parameters<Exchange['onAsk']>[0]): void {
    this.#answer = answer
  }

  async ask(did: string, question: Uint8Array, until?: AbortSignal): Promise<Uint8Array> {
    assert(question.length <= FRAME_BYTES_MAX, 'a question is within its limit')
    const signals = [this.#signal, AbortSignal.timeout(QUESTION_MS_MAX)]
    const signal = AbortSignal.any(until === undefined ? signals : [...signals, until])
    try {
      const peerId = peerIdOf(did)
      if (peerId === null) throw new DOMException('it is not the DID of a peer', 'AbortError')
      const { host, protocol } = this.#init
      const stream = await host.dialProtocol(peerId, protocol, { signal })
      const cut = (): void => stream.abort(new DOMException('given up', 'AbortError'))
      signal.addEventListener('abort', cut, { once: true })
      try {
        if (!stream.send(encode.single(question))) await stream.onDrain({ signal })
        const answer = await firstFrame(stream)
        if (answer === null) throw new DOMException('it gave no answer', 'AbortError')
        return answer
      } finally {
        signal.removeEventListener('abort', cut)
        cut()
      }
    } catch (error) {
      throw new PeerUnreachableError(did, reasonOf(error), error)
    }
  }

  async #receive(stream: Stream, connection: Connection): Promise<void> {
    const from = didOf(connection.remotePeer)
    if (from === null || this.#signal.aborted || this.#answer === null || !this.#enter(from)) {
      stream.abort(new DOMException('not now', 'AbortError'))
      return
    }
    const timer = setTimeout(
      () => stream.abort(new DOMException('too slow', 'AbortError')),
      QUESTION_MS_MAX
    )
    // Whoever answers stops once nobody waits: the stream has been cut, from here or from there.
    const gone = new AbortController()
    stream.addEventListener('close', () => gone.abort(), { once: true })
    try {
      const question = await firstFrame(stream)
      if (question === null) throw new DOMException('no question', 'AbortError')
      stream.send(encode.single(await this.#answer(from, question, gone.signal)))
      await stream.close()
    } catch (error) {
      this.#init.logger.debug('a question stays without an answer', { from, error: String(error) })
      stream.abort(error instanceof Error ? error : new DOMException('failed', 'AbortError'))
    } finally {
      clearTimeout(timer)
      this.#leave(from)
    }
  }

  #enter(from: string): boolean {
    const open = this.#open.get(from) ?? 0
    let all = 0
    for (const count of this.#open.values()) all += count
    if (open >= QUESTIONS_PER_PEER_MAX || all >= QUESTIONS_MAX) return false
    this.#open.set(from, open + 1)
    return true
  }

  #leave(from: string): void {
    const open = (this.#open.get(from) ?? 1) - 1
    if (open === 0) this.#open.delete(from)
    else this.#open.set(from, open)
  }
}

/** The one frame of a direction; null when the stream ends before it. */
async function firstFrame(stream: Stream): Promise<Uint8Array | null> {
  for await (const frame of pacedFrames(stream)) return Uint8Array.from(frame)
  return null
}
