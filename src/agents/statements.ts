import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, RESTATE_MS } from './limits.ts'

type Statement = { refusals: number; notBefore: number }

/**
 * When a statement about a thread may be made again. It is made once, then waits for the thread to show it; one that the node
 * refused waits longer each time. What was said is never concluded from here, only how soon to repeat oneself.
 */
export class StatementPacer {
  readonly #statements = new Map<string, Statement>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** ms until the statement may be made; 0 is now. */
  waitMs(key: string): number {
    return Math.max(0, (this.#statements.get(key)?.notBefore ?? 0) - this.#now())
  }

  made(key: string): void {
    this.#statements.set(key, { refusals: 0, notBefore: this.#now() + RESTATE_MS })
  }

  refused(key: string): void {
    const refusals = (this.#statements.get(key)?.refusals ?? 0) + 1
    const delayMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (refusals - 1))
    this.#statements.set(key, { refusals, notBefore: this.#now() + delayMs })
  }

  /** Drops what was remembered of a thread; keys start with its id. */
  forget(thread: string): void {
    for (const key of this.#statements.keys()) {
      if (key.startsWith(thread)) this.#statements.delete(key)
    }
  }
}
