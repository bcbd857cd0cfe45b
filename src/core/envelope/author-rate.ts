import {
  assert,
  ok,
  RATE_SENDERS_MAX,
  type Result,
  SENDER_ENVELOPES_BURST,
  SENDER_ENVELOPES_PER_SECOND
} from '../base/index.ts'
import { refuseEnvelope } from './refusals.ts'

export type AuthorRateInit = {
  readonly perSecond?: number
  readonly burst?: number
  readonly sendersMax?: number
}

/** Tokens are counted in thousandths, so that one token per second is one thousandth per ms: whole numbers only. */
const TOKEN = 1000

type Bucket = { tokens: number; filledAtMs: number }

/**
 * A token bucket for each sender (ENV-16). The door asks `check` before it verifies the signature, which is the expensive
 * part, and calls `spend` after: a forger who writes another's name into `sender` cannot use up that name's allowance.
 *
 * Bounded: when `sendersMax` senders are tracked, the one that spent longest ago is forgotten, which gives it a full bucket.
 */
export class AuthorRate {
  readonly #perSecond: number
  readonly #burst: number
  readonly #sendersMax: number
  /** In order of the last spending. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(init: AuthorRateInit = {}) {
    this.#perSecond = init.perSecond ?? SENDER_ENVELOPES_PER_SECOND
    this.#burst = (init.burst ?? SENDER_ENVELOPES_BURST) * TOKEN
    this.#sendersMax = init.sendersMax ?? RATE_SENDERS_MAX
    assert(
      this.#perSecond > 0 && this.#burst >= TOKEN && this.#sendersMax > 0,
      'the rate lets something through'
    )
  }

  /** Senders tracked; for metrics and tests. */
  get size(): number {
    return this.#buckets.size
  }

  /** Whether the sender may say one more envelope at `nowMs`. */
  check(sender: string, nowMs: number): Result<void> {
    return this.#tokensOf(sender, nowMs) >= TOKEN ? ok(undefined) : refuseEnvelope('RATE_LIMITED')
  }

  /** Counts one envelope that is truly the sender's. */
  spend(sender: string, nowMs: number): void {
    const tokens = Math.max(0, this.#tokensOf(sender, nowMs) - TOKEN)
    this.#buckets.delete(sender)
    if (this.#buckets.size >= this.#sendersMax)
      this.#buckets.delete(this.#buckets.keys().next().value as string)
    this.#buckets.set(sender, { tokens, filledAtMs: nowMs })
  }

  #tokensOf(sender: string, nowMs: number): number {
    const bucket = this.#buckets.get(sender)
    if (bucket === undefined) return this.#burst
    const elapsedMs = Math.max(0, nowMs - bucket.filledAtMs)
    return Math.min(this.#burst, bucket.tokens + elapsedMs * this.#perSecond)
  }
}
