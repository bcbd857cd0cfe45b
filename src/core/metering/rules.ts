import { fromHex } from '../base/index.ts'

/**
 * SHA-256 of protocols/policy/metering.md: the rules that this room follows. `policyEngine` of envelopes commits to it, so that nodes
 * with different rules refuse each other. A unit test compares it with the file.
 */
export const METERING_RULES: Uint8Array = fromHex(
  '33cefab6dbdd0dfb969ba84415cdd1deccd98e5985abeb1cf630361fbbd7580a'
)
