import { NeedRefusedError } from './errors.ts'
import type { RefusedEvent } from './follow.ts'
import type { Session } from './session.ts'

/** How long a NEED that half of the peers refuse may take to find a group among the others, in ms: longer than an honest group takes. */
const PATIENCE_MS = 5_000

/**
 * What peers say against a NEED of this node. A few of them may lie, so that the command goes on; when nobody is left to work on it, waiting for its
 * expiry tells nothing: when all that are connected refuse it, or half of them and there is no group after a while, as a peer may not have heard
 * of it.
 */
export class NeedRefusals {
  readonly #session: Pick<Session, 'call'>
  readonly #thread: string
  readonly #patienceMs: number
  /** What each peer said, by DID. */
  readonly #said = new Map<string, string>()
  readonly #end = Promise.withResolvers<never>()
  #timer: NodeJS.Timeout | null = null

  constructor(session: Pick<Session, 'call'>, thread: string, patienceMs = PATIENCE_MS) {
    this.#session = session
    this.#thread = thread
    this.#patienceMs = patienceMs
  }

  /** Waits for the end of `following`, unless the NEED is refused before; then rejects with NeedRefusedError. */
  async race(following: Promise<void>): Promise<void> {
    following.catch(() => undefined)
    try {
      await Promise.race([following, this.#end.promise])
    } finally {
      if (this.#timer !== null) clearTimeout(this.#timer)
    }
  }

  async take({ envelope, by, code, reasons }: RefusedEvent): Promise<void> {
    if (envelope !== this.#thread) return
    this.#said.set(by, `${reasons.join('; ')} [${code}]`)
    this.#timer ??= setTimeout(
      () => void this.#judge(0.5).catch(this.#end.reject),
      this.#patienceMs
    )
    await this.#judge(1).catch(this.#end.reject)
  }

  /** Ends the wait when this share of the connected peers refuses the NEED and nobody has taken it up. */
  async #judge(share: number): Promise<void> {
    const peers = await this.#session.call('peers.list', {})
    const refusing = peers.filter(({ did }) => this.#said.has(did)).length
    if (refusing < peers.length * share) return
    const view = await this.#session.call('thread.get', { thread: this.#thread })
    if (view.group !== null || view.phase !== 'OPEN') return
    const what = [...new Set(this.#said.values())].join('; ')
    throw new NeedRefusedError(
      `${refusing} of ${peers.length} connected nodes refuse the NEED ${this.#thread}, and none takes it up: ${what}`,
      { thread: this.#thread, refused: Object.fromEntries(this.#said) }
    )
  }
}
