import { NeedRefusedError } from './errors.ts'
import type { RefusedEvent } from './follow.ts'
import type { Session } from './session.ts'

/**
 * What peers say against a NEED of this node. One of them may lie, so that the command goes on; when all that are connected refuse it, nobody is left to
 * work on it, and waiting for its expiry tells nothing.
 */
export class NeedRefusals {
  readonly #session: Session
  readonly #thread: string
  /** What each peer said, by DID. */
  readonly #said = new Map<string, string>()

  constructor(session: Session, thread: string) {
    this.#session = session
    this.#thread = thread
  }

  /** Rejects with NeedRefusedError when no connected peer is left that did not refuse the NEED. */
  async take({ envelope, by, code, reasons }: RefusedEvent): Promise<void> {
    if (envelope !== this.#thread) return
    this.#said.set(by, `${reasons.join('; ')} [${code}]`)
    const peers = await this.#session.call('peers.list', {})
    if (peers.some(({ did }) => !this.#said.has(did))) return
    const { group } = await this.#session.call('thread.get', { thread: this.#thread })
    if (group !== null) return
    const what = [...new Set(this.#said.values())].join('; ')
    throw new NeedRefusedError(`every connected node refuses the NEED ${this.#thread}: ${what}`, {
      thread: this.#thread,
      refused: Object.fromEntries(this.#said)
    })
  }
}
