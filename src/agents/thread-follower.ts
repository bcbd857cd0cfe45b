import { type Phase, TERMINAL, type ThreadView } from '../core/swarm/index.ts'
import type { SwarmClient } from '../rpc/index.ts'
import { BACKOFF_MS_MIN, LOOKS_MAX, SWEEP_MS, THREADS_MAX } from './limits.ts'
import { Slots } from './slots.ts'

/** Looks at a thread and does what it asks for. Returns in how many ms to look again without an event, or null. */
export type Look = (view: ThreadView) => Promise<number | null>

/** Events after which a thread may ask for something else. */
const NEWS: ReadonlySet<string> = new Set(['thread', 'envelope', 'evidence'])

type Followed = { looking: boolean; dirty: boolean; timer: NodeJS.Timeout | null }

/**
 * Calls `look` with a fresh view of each open thread: at the start, after each of its events, when asked for, and every few
 * seconds, since an event may be lost. Looks at one thread never overlap. `look` must act on the view alone, so that an
 * agent that restarts goes on where it was.
 */
export class ThreadFollower {
  readonly #client: SwarmClient
  readonly #look: Look
  readonly #wants: (view: ThreadView) => boolean
  readonly #threads = new Map<string, Followed>()
  /** Open threads that are of no interest, so that their events cost nothing. */
  readonly #ignored = new Set<string>()
  /** Threads whose end has been looked at, the latest ones. */
  readonly #ended = new Set<string>()
  readonly #slots = new Slots(LOOKS_MAX)
  readonly #failed = new AbortController()
  #signal: AbortSignal = this.#failed.signal

  constructor(
    client: SwarmClient,
    init: { readonly look: Look; readonly wants: (view: ThreadView) => boolean }
  ) {
    this.#client = client
    this.#look = init.look
    this.#wants = init.wants
  }

  /** Runs until the signal aborts. Rejects when the connection to the node ends. */
  async run(signal: AbortSignal, onReady: () => Promise<void>): Promise<void> {
    this.#signal = AbortSignal.any([signal, this.#failed.signal])
    // Subscribed before the first list, so that nothing falls between the two.
    const events = this.#client.events(this.#signal)
    const sweep = setInterval(() => void this.#sweep(), SWEEP_MS)
    try {
      await onReady()
      void this.#sweep()
      for await (const event of events) {
        if (event.type === 'ended') this.#onEnded(event.thread)
        else if (NEWS.has(event.type) && event.thread !== null) this.poke(event.thread)
      }
      if (this.#failed.signal.aborted) throw this.#failed.signal.reason
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      clearInterval(sweep)
      this.#failed.abort()
      for (const { timer } of this.#threads.values()) if (timer !== null) clearTimeout(timer)
    }
  }

  /** Look at a thread soon. */
  poke(thread: string): void {
    if (this.#ignored.has(thread) || this.#signal.aborted) return
    const followed = this.#threads.get(thread) ?? { looking: false, dirty: false, timer: null }
    this.#threads.set(thread, followed)
    followed.dirty = true
    if (!followed.looking) void this.#slots.run(() => this.#lookWhileDirty(thread, followed))
  }

  #onEnded(thread: string): void {
    if (!this.#ignored.delete(thread)) this.poke(thread)
  }

  async #lookWhileDirty(thread: string, followed: Followed): Promise<void> {
    if (followed.looking) return
    followed.looking = true
    let againMs: number | null = null
    while (followed.dirty && !this.#signal.aborted) {
      followed.dirty = false
      if (followed.timer !== null) clearTimeout(followed.timer)
      followed.timer = null
      againMs = await this.#lookOnce(thread)
    }
    followed.looking = false
    if (againMs === null || this.#signal.aborted || !this.#threads.has(thread)) return
    followed.timer = setTimeout(() => this.poke(thread), againMs)
  }

  async #lookOnce(thread: string): Promise<number | null> {
    try {
      const view = await this.#client.call('thread.get', { thread }, { signal: this.#signal })
      if (!this.#wants(view)) return this.#ignore(thread, view.phase)
      if (TERMINAL.has(view.phase)) return await this.#lookLast(thread, view)
      this.#ended.delete(thread)
      return await this.#look(view)
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== 'THREAD_NOT_FOUND')
        return this.#onFailure(error)
      this.#threads.delete(thread)
      return null
    }
  }

  /** An end is looked at once, though several events may tell of it and more envelopes may come later. */
  async #lookLast(thread: string, view: ThreadView): Promise<number | null> {
    this.#threads.delete(thread)
    if (this.#ended.has(thread)) return null
    this.#ended.add(thread)
    const [oldest] = this.#ended
    if (this.#ended.size > THREADS_MAX && oldest !== undefined) this.#ended.delete(oldest)
    return this.#look(view)
  }

  #ignore(thread: string, phase: Phase): null {
    this.#threads.delete(thread)
    if (!TERMINAL.has(phase)) this.#ignored.add(thread)
    return null
  }

  async #sweep(): Promise<void> {
    try {
      const list = await this.#client.call(
        'threads.list',
        { limit: THREADS_MAX, open: true },
        { signal: this.#signal }
      )
      for (const { thread, phase } of list) if (!TERMINAL.has(phase)) this.poke(thread)
    } catch (error) {
      this.#onFailure(error)
    }
  }

  /** A refused look is tried again; without a connection, or with a bug, there is nothing to go on with. */
  #onFailure(error: unknown): number | null {
    if (this.#signal.aborted) return null
    const code = (error as { code?: unknown } | null)?.code
    const fatal = code === 'CONNECTION_LOST' || typeof code !== 'string' || code === 'ASSERTION'
    if (!fatal) return BACKOFF_MS_MIN
    this.#failed.abort(error)
    return null
  }
}
