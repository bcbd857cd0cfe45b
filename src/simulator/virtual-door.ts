import {
  type Admitted,
  AuthorRate,
  checkFreshness,
  ReplayGuard,
  type SenderWindow
} from '../core/envelope/index.ts'

/** Who brings an envelope, as for the node's door. */
export type Origin = 'peer' | 'local' | 'log'

/**
 * The stages of a node's door that remember: rate, freshness and replay, by the clock of the node. What depends on the bytes alone is
 * worked out once for the world (see `Inspector`).
 */
export class VirtualDoor {
  readonly #rate = new AuthorRate()
  readonly #guard = new ReplayGuard()

  /** Whether the machine gets it. What was let in and not kept may come again, as at the node's door. */
  admits(admitted: Admitted, origin: Origin, nowMs: number): boolean {
    const { sender } = admitted.envelope
    const known = this.#guard.check(admitted, nowMs)
    const isAgain = !known.ok && known.refusal.code === 'REPLAYED'
    if (origin !== 'log') {
      if (!checkFreshness(admitted.envelope, nowMs).ok || !(known.ok || isAgain)) return false
      if (!isAgain && !this.#rate.check(sender, nowMs).ok) return false
      if (!isAgain) this.#rate.spend(sender, nowMs)
    }
    if (!isAgain) this.#guard.remember(admitted)
    return true
  }

  /** Remembers what was let in before the node was started again. */
  remember(admitted: Admitted): void {
    this.#guard.remember(admitted)
  }

  restore(windows: readonly SenderWindow[]): void {
    for (const window of windows) this.#guard.restore(window)
  }

  /** What a journal that is rewritten has to say of it. */
  windows(nowMs: number): readonly SenderWindow[] {
    return [...this.#guard.windows(nowMs, () => false)]
  }
}
