import { type SwarmEvent, TERMINAL, type ThreadView } from '../core/swarm/index.ts'
import type { SwarmClient } from '../rpc/index.ts'
import { SWEEP_MS } from './limits.ts'

export type WaitInit = {
  readonly signal?: AbortSignal
  /** Default: the thread has ended. */
  readonly until?: (view: ThreadView) => boolean
  /** Called with each new view, the last one included. */
  readonly onView?: (view: ThreadView) => void
}

/** Waits until a thread is where the caller wants it, by default at its end, and returns its view. */
export async function waitForThread(
  client: SwarmClient,
  thread: string,
  init: WaitInit = {}
): Promise<ThreadView> {
  const until = init.until ?? (view => TERMINAL.has(view.phase))
  const stop = new AbortController()
  const signals = [stop.signal, ...(init.signal === undefined ? [] : [init.signal])]
  const signal = AbortSignal.any(signals)
  // Subscribed before the first look, so that nothing falls between the two.
  const changes = new Changes()
  const listening = changes.listen(client.events(signal), thread)
  try {
    for (;;) {
      const view = await client.call('thread.get', { thread }, { signal })
      init.onView?.(view)
      if (until(view)) return view
      await changes.next()
      signal.throwIfAborted()
    }
  } finally {
    stop.abort()
    await listening
  }
}

/** Remembers whether something happened since the last look. */
class Changes {
  #happened: PromiseWithResolvers<void> = Promise.withResolvers()

  /** Never rejects: when the events end, the next look finds out why. */
  async listen(events: AsyncIterable<SwarmEvent>, thread: string): Promise<void> {
    try {
      for await (const event of events) if (event.thread === thread) this.#happened.resolve()
    } catch {
      // The connection is gone, and the next look says so.
    } finally {
      this.#happened.resolve()
    }
  }

  /** Resolves at the next change, or after a while: an event may be lost. */
  async next(): Promise<void> {
    const timer = setTimeout(() => this.#happened.resolve(), SWEEP_MS)
    await this.#happened.promise
    clearTimeout(timer)
    this.#happened = Promise.withResolvers()
  }
}
