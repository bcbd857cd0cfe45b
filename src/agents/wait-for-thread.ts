import { type SwarmEvent, TERMINAL, type ThreadView } from '../core/swarm/index.ts'
import type { SwarmClient } from '../rpc/index.ts'
import { RESULT_WAIT_MS, SWEEP_MS } from './limits.ts'

export type WaitInit = {
  readonly signal?: AbortSignal
  /** Default: the thread has ended, and its result is here. */
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
  const until = init.until ?? hasEnded()
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

/** A certificate may be here before the log that it is about: a thread is FINAL then, and what was made is not known yet. */
function hasEnded(): (view: ThreadView) => boolean {
  let untilMs = Number.POSITIVE_INFINITY
  return ({ phase, commit }) => {
    if (!TERMINAL.has(phase)) return false
    if (phase !== 'FINAL' || commit !== null) return true
    const nowMs = performance.now()
    untilMs = Math.min(untilMs, nowMs + RESULT_WAIT_MS)
    return nowMs >= untilMs
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
