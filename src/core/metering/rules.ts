import { fromHex } from '../base/index.ts'

/**
 * SHA-256 of protocols/policy/metering.md: the rules that this room follows. `policyEngine` of envelopes commits to it, so that nodes
 * with different rules refuse each other. A unit test compares it with the file.
 */
export const METERING_RULES: Uint8Array = fromHex(
  '59adf396e589c974bcae2b5b474693de305b89ec1257640727e86b67065c227c'
)
