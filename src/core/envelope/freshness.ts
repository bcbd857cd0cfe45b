import { CLOCK_SKEW_MS_MAX, ENVELOPE_LIFE_MS_MAX, ok, type Result } from '../base/index.ts'
import { refuseEnvelope } from './refusals.ts'

/**
 * ENV-12 and ENV-13: `notAfter` has not passed and is not further ahead than an envelope may live, both give or take the
 * clock difference that honest nodes may have. All in ms. Together they bound how long the replay guard must remember.
 */
export function checkFreshness(
  envelope: { readonly notAfter: number },
  nowMs: number
): Result<void> {
  if (forgottenAt(envelope) < nowMs) return refuseEnvelope('ENVELOPE_EXPIRED')
  if (envelope.notAfter > nowMs + ENVELOPE_LIFE_MS_MAX + CLOCK_SKEW_MS_MAX)
    return refuseEnvelope('NOT_AFTER_TOO_FAR')
  return ok(undefined)
}

/** From when on freshness alone refuses an envelope, in ms since 1970. */
export function forgottenAt(envelope: { readonly notAfter: number }): number {
  return envelope.notAfter + CLOCK_SKEW_MS_MAX
}
