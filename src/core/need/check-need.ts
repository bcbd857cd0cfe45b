import { ok, type Result, refuse } from '../base/index.ts'
import type { Payload } from '../envelope/index.ts'

/** Longest of each window, in ms, and how far `expiresAt` may be after the envelope's own `notAfter`: thirty days. */
export const WINDOW_MS_MAX: number = 30 * 24 * 3600 * 1000
/** Highest budget and bounty together: their refund is one amount. */
const ESCROW_MAX = (1n << 63n) - 1n

/**
 * Whether a thread can end that begins with this NEED. One that cannot (it never expires, or its outcome could not be written
 * down) would stay open at every node for ever (P6). A function of the NEED alone.
 */
export function checkNeed({
  payload,
  notAfter
}: {
  readonly payload: Payload<'NEED'>
  readonly notAfter: number
}): Result<null> {
  if (payload.epoch > 0)
    return refuse('NEED_EPOCH', 'a later epoch needs the seals of the epoch before (R11)')
  if (payload.expiresAt > notAfter + WINDOW_MS_MAX)
    return refuse('NEED_EXPIRY', 'expiresAt is more than thirty days after notAfter')
  if (Object.values(payload.windows).some(windowMs => windowMs > WINDOW_MS_MAX))
    return refuse('NEED_WINDOWS', 'a window is longer than thirty days')
  if (payload.budget + payload.verifyBounty > ESCROW_MAX)
    return refuse('NEED_ESCROW', 'budget and bounty together are not below 2^63')
  return ok(null)
}
