import type { SwarmEvent } from '../core/swarm/index.ts'
import { CancelledError, SlowReaderError } from './errors.ts'
import { EVENTS_WAITING_MAX } from './limits.ts'
import type { SwarmClient } from './methods.ts'

/**
 * The events of a node as an async iterable. Subscribes when it is built, so that nothing is missed between a call and the
 * first `next`. Ends when the signal aborts; ends with an error when the connection does, or when its consumer falls behind.
 */
export class EventQueue implements AsyncIterableIterator<SwarmEvent> {
  readonly #waiting: SwarmEvent[] = []
  readonly #takers: PromiseWithResolvers<IteratorResult<SwarmEvent>>[] = []
  readonly #stop = new AbortController()
  #end: { readonly error: unknown } | null = null

  constructor(client: Pick<SwarmClient, 'call'>, signal?: AbortSignal) {
    const stopped = AbortSignal.any(signal ? [signal, this.#stop.signal] : [this.#stop.signal])
    const onProgress = (data: unknown): void => this.#push(data as SwarmEvent)
    client.call('events.subscribe', {}, { signal: stopped, onProgress }).then(
      () => this.#finish(null),
      error => this.#finish(stopped.aborted ? null : error)
    )
    stopped.addEventListener('abort', () => this.#finish(null), { once: true })
    if (stopped.aborted) this.#finish(null)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<SwarmEvent>> {
    const event = this.#waiting.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#end !== null) return settled(this.#end.error)
    const taker = Promise.withResolvers<IteratorResult<SwarmEvent>>()
    this.#takers.push(taker)
    return taker.promise
  }

  return(): Promise<IteratorResult<SwarmEvent>> {
    this.#waiting.length = 0
    this.#stop.abort(new CancelledError('the events are no longer read'))
    return settled(null)
  }

  #push(event: SwarmEvent): void {
    if (this.#end !== null) return
    const taker = this.#takers.shift()
    if (taker !== undefined) taker.resolve({ done: false, value: event })
    else if (this.#waiting.length < EVENTS_WAITING_MAX) this.#waiting.push(event)
    else {
      this.#finish(
        new SlowReaderError(`more than ${EVENTS_WAITING_MAX} events wait to be read: read faster`)
      )
      this.#stop.abort()
    }
  }

  #finish(error: unknown): void {
    if (this.#end !== null) return
    this.#end = { error }
    for (const taker of this.#takers.splice(0)) settled(error).then(taker.resolve, taker.reject)
  }
}

function settled(error: unknown): Promise<IteratorResult<SwarmEvent>> {
  return error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
}
