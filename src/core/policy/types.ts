/** JSON value that a policy may see: no floats, no null-prototype tricks; amounts and large integers as decimal strings. */
export type PolicyValue =
  | string
  | number
  | boolean
  | null
  | readonly PolicyValue[]
  | { readonly [key: string]: PolicyValue }

/**
 * `message`: preflight and ingress, which must agree. `bid`: whether a proposal may be decided for its NEED. `commit`: a COMMIT's telemetry
 * and what its worker used, against the NEED's limits.
 */
export type Gate = 'message' | 'bid' | 'commit'

/** The one question asked of a capsule. The same bytes at sender and receiver, so that digests can be compared. */
export type PolicyInput = {
  readonly gate: Gate
  readonly [key: string]: PolicyValue
}

/** A capsule's answer. Default deny. */
export type PolicyDecision = {
  readonly allow: boolean
  /** Rules that denied, each `rule: what it saw`; empty when allowed. Sorted. */
  readonly reasons: readonly string[]
  /** Gas used, by the metering rules; the whole limit of the capsule when the evaluation was stopped. */
  readonly gas: number
}
