import { setMaxListeners } from 'node:events'
import { FETCH_ATTEMPT_MS, FETCH_ECHO_MS } from './limits.ts'

export type PatienceInit = {
  /** Longest wait in ms without progress. */
  readonly timeoutMs: number
  /** The caller's and the store's wish to end. */
  readonly signals: readonly AbortSignal[]
  /** Builds the error with which the wait ends. */
  readonly giveUp: (waitedMs: number) => Error
}

/**
 * The waiting of one call. Time counts only while a block is awaited and starts again with each that arrives, so a slow line is
 * no failure and a silent one is. A wait is cut into attempts; when one ends, everything awaited is asked for anew.
 */
export class Patience {
  /** Aborts when the call is over: by the caller, the store or the end of patience. Its reason is the error to throw. */
  readonly signal: AbortSignal
  readonly #init: PatienceInit
  readonly #over = new AbortController()
  #attempt = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #attempts = 0
  #awaited = 0
  #waitedMs = 0

  constructor(init: PatienceInit) {
    this.#init = init
    this.signal = AbortSignal.any([this.#over.signal, ...init.signals])
    setMaxListeners(Number.POSITIVE_INFINITY, this.signal, this.#attempt.signal)
  }

  /** Runs one attempt at one block; `signal` ends it early when the attempt or the call ends. */
  async attempt<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted()
    const signal = AbortSignal.any([this.signal, this.#attempt.signal])
    setMaxListeners(Number.POSITIVE_INFINITY, signal)
    this.#awaited += 1
    this.#arm()
    try {
      const result = await ask(signal)
      this.#waitedMs = 0
      clearTimeout(this.#timer)
      this.#timer = undefined
      return result
    } finally {
      this.#awaited -= 1
      if (this.#awaited === 0) this.#disarm()
      else this.#arm()
    }
  }

  /** How long nothing has arrived, in ms, by finished attempts. */
  get waitedMs(): number {
    return this.#waitedMs
  }

  /** Ends everything that still runs for the call. */
  close(reason: Error): void {
    this.#disarm()
    this.#over.abort(reason)
  }

  #arm(): void {
    if (this.#timer !== undefined || this.signal.aborted) return
    // At least two attempts, however short the patience.
    const left = this.#init.timeoutMs - this.#waitedMs
    const longest = this.#attempts % 2 === 0 ? FETCH_ATTEMPT_MS : FETCH_ECHO_MS
    const slice = Math.min(left, longest, Math.ceil(this.#init.timeoutMs / 2))
    this.#timer = setTimeout(() => this.#expire(slice), slice)
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #expire(slice: number): void {
    this.#timer = undefined
    this.#waitedMs += slice
    if (this.#waitedMs >= this.#init.timeoutMs) {
      this.#over.abort(this.#init.giveUp(this.#waitedMs))
      return
    }
    this.#attempts += 1
    const ended = this.#attempt
    this.#attempt = new AbortController()
    setMaxListeners(Number.POSITIVE_INFINITY, this.#attempt.signal)
    ended.abort()
    this.#arm()
  }
}
