import { setTimeout as delay } from 'node:timers/promises'
import {
  type CallPlanChanges,
  type FactText,
  factTextOf,
  planChanges,
  type SwarmClient
} from '../../rpc/index.ts'
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, FACTS_AT_ONCE, REFS_AT_ONCE } from '../limits.ts'

type Statement = { readonly facts: readonly FactText[]; readonly refs: readonly string[] }

/**
 * Says the facts of one coordinator, in order, those that come together in one envelope. What it said before, also before a restart, is not
 * said again. A refusal is tried again until the signal aborts.
 */
export class FactWriter {
  readonly #client: SwarmClient
  readonly #thread: string
  readonly #signal: AbortSignal
  readonly #said = new Set<string>()
  readonly #waiting: Statement[] = []
  #writing: Promise<void> | null = null

  constructor(
    client: SwarmClient,
    { thread, signal }: { readonly thread: string; readonly signal: AbortSignal }
  ) {
    this.#client = client
    this.#thread = thread
    this.#signal = signal
  }

  /** Takes what this node has said in the thread so far. */
  async resume(did: string): Promise<void> {
    const signal = this.#signal
    const read: CallPlanChanges = (method, params) => this.#client.call(method, params, { signal })
    for await (const { facts } of planChanges(read, { thread: this.#thread, sender: did }))
      for (const fact of facts) this.#said.add(keyOf(factTextOf(fact)))
  }

  /** Says the facts soon. `refs` show that they hold. */
  say(facts: readonly FactText[], refs: readonly string[] = []): void {
    const news = facts.filter(fact => !this.#said.has(keyOf(fact)))
    if (news.length === 0) return
    for (const fact of news) this.#said.add(keyOf(fact))
    this.#waiting.push({ facts: news, refs })
    this.#writing ??= this.#write()
  }

  /** Resolves when everything has been said, or the signal aborts. */
  async flushed(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    // What comes in the same moment goes into one envelope.
    await Promise.resolve()
    let refusals = 0
    while (this.#waiting.length > 0 && !this.#signal.aborted) {
      const { count, ...batch } = this.#next()
      try {
        await this.#client.call(
          'plan.add',
          { thread: this.#thread, ...batch },
          { signal: this.#signal }
        )
        this.#waiting.splice(0, count)
        refusals = 0
      } catch {
        // The facts help others to follow; the work does not depend on them.
        const waitMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** refusals++)
        await delay(waitMs, null, { signal: this.#signal }).catch(() => undefined)
      }
    }
    this.#writing = null
  }

  #next(): { count: number; facts: FactText[]; refs: string[] } {
    const facts: FactText[] = []
    const refs: string[] = []
    let count = 0
    for (const statement of this.#waiting) {
      const isFull =
        facts.length + statement.facts.length > FACTS_AT_ONCE ||
        refs.length + statement.refs.length > REFS_AT_ONCE
      if (isFull && count > 0) break
      facts.push(...statement.facts)
      refs.push(...statement.refs)
      count += 1
    }
    return { count, facts, refs }
  }
}

function keyOf(fact: FactText): string {
  return JSON.stringify(Object.entries(fact).sort(([a], [b]) => (a < b ? -1 : 1)))
}
