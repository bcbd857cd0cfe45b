import { createHash } from 'node:crypto'
import type { SwarmEvent, ThreadView } from '../../src/core/swarm/index.ts'
import type { Method, Params, SwarmClient } from '../../src/rpc/index.ts'
import { RemoteError } from '../../src/rpc/index.ts'
import { DID_A } from './fake-handlers.ts'

type Handler = (params: never) => unknown

/** A node that a test scripts: it shows the views it is given, remembers what it was told, and refuses on demand. */
export class FakeSwarm implements SwarmClient {
  readonly did = DID_A
  readonly calls: { method: Method; params: unknown }[] = []
  readonly artifacts = new Map<string, Uint8Array>()
  readonly #views = new Map<string, ThreadView>()
  readonly #handlers = new Map<Method, Handler>()
  readonly #refusals: { method: Method; code: string }[] = []
  readonly #listeners = new Set<(event: SwarmEvent) => void>()
  readonly #waiters: { done: () => boolean; resolve: () => void }[] = []
  #lost: PromiseWithResolvers<never> = Promise.withResolvers()

  constructor() {
    this.#lost.promise.catch(() => undefined)
  }

  /** Shows a view from now on, and says that something changed. */
  show(view: ThreadView): void {
    this.#views.set(view.thread, view)
    this.emit({ type: 'thread', thread: view.thread, phase: view.phase, atMs: 0 })
  }

  view(thread: string): ThreadView {
    const view = this.#views.get(thread)
    if (view === undefined) throw new RemoteError('THREAD_NOT_FOUND', thread, '')
    return view
  }

  emit(event: SwarmEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  on<M extends Method>(method: M, handler: (params: Params<M>) => unknown): this {
    this.#handlers.set(method, handler as Handler)
    return this
  }

  /** The next call of the method is refused. */
  refuse(method: Method, code: string): this {
    this.#refusals.push({ method, code })
    return this
  }

  put(bytes: Uint8Array): string {
    const cid = `bafkrei${createHash('sha256').update(bytes).digest('hex').slice(0, 20)}`
    this.artifacts.set(cid, bytes)
    return cid
  }

  count(method: Method): number {
    return this.calls.filter(call => call.method === method).length
  }

  paramsOf<M extends Method>(method: M): Params<M> {
    return this.calls.findLast(call => call.method === method)?.params as Params<M>
  }

  /** Resolves when the method has been called so often; the test's own time limit ends the wait. */
  async called(method: Method, times = 1): Promise<void> {
    const done = (): boolean => this.count(method) >= times
    if (done()) return
    await new Promise<void>(resolve => this.#waiters.push({ done, resolve }))
  }

  /** The connection ends. */
  lose(): void {
    this.#lost.reject(new RemoteError('CONNECTION_LOST', 'the node went away', ''))
  }

  call: SwarmClient['call'] = async (method, params, options = {}) => {
    options.signal?.throwIfAborted()
    this.calls.push({ method, params })
    const answer = this.#answer(method, params as never, options)
    this.#wake()
    return (await answer) as never
  }

  async *events(signal?: AbortSignal): AsyncIterable<SwarmEvent> {
    const queue: SwarmEvent[] = []
    let wake = Promise.withResolvers<void>()
    const listener = (event: SwarmEvent): void => {
      queue.push(event)
      wake.resolve()
    }
    this.#listeners.add(listener)
    signal?.addEventListener('abort', () => wake.resolve(), { once: true })
    try {
      while (!signal?.aborted) {
        for (const event of queue.splice(0)) yield event
        await Promise.race([wake.promise, this.#lost.promise])
        wake = Promise.withResolvers()
        if (queue.length > 0) wake.resolve()
      }
    } finally {
      this.#listeners.delete(listener)
    }
  }

  close(): void {}

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.done()) waiter.resolve()
      else this.#waiters.push(waiter)
    }
  }

  async #answer(
    method: Method,
    params: never,
    options: Parameters<SwarmClient['call']>[2] = {}
  ): Promise<unknown> {
    const refused = this.#refusals.findIndex(refusal => refusal.method === method)
    if (refused >= 0) {
      const [refusal] = this.#refusals.splice(refused, 1)
      throw new RemoteError(refusal?.code ?? '', `${method} is refused`, '')
    }
    const handler = this.#handlers.get(method)
    if (handler !== undefined) return handler(params)
    switch (method) {
      case 'node.id':
        return { did: this.did, peerId: '', addresses: [] }
      case 'threads.list':
        return [...this.#views.values()]
      case 'thread.get':
        return this.view((params as Params<'thread.get'>).thread)
      case 'artifacts.cat': {
        const { cid } = params as Params<'artifacts.cat'>
        const bytes = this.artifacts.get(cid)
        if (bytes === undefined) throw new RemoteError('ARTIFACT_NOT_FOUND', cid, '')
        options.onProgress?.({ base64: Buffer.from(bytes).toString('base64') })
        return { bytes: bytes.length }
      }
      case 'artifacts.addBytes': {
        const { base64 } = params as Params<'artifacts.addBytes'>
        return { cid: this.put(Buffer.from(base64, 'base64')), bytes: 0, files: 1 }
      }
      default:
        return { envelope: 'bafyenvelope', sealed: true, manifest: 'bafymanifest' }
    }
  }
}
