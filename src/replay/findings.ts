import type { Admitted, Outcome } from '../core/envelope/index.ts'

/** What a replay found out. JSON-safe. */
export type Findings = {
  events: number
  /** Policy evaluations that gave the digest in the envelope again, gas included. */
  policies: number
  /** FORMs and certificates of another group than the one that was followed: statements without effect. */
  aside: number
  decide: {
    readonly proposal: string
    readonly epoch: number
    readonly term: number
    readonly index: number
    readonly signers: readonly string[]
  } | null
  outcome: {
    readonly result: Outcome['result']
    readonly reason: string
    readonly finalize: string
    readonly signers: readonly string[]
  } | null
  /** True when the outcome derived from the log gives the very bytes of the recorded FINALIZE or INVALIDATE. */
  finalizeBytesEqual: boolean
  /** What the work took, as its worker states it in the COMMIT that the log took; one without effect says nothing of work. */
  commits: readonly Telemetry[]
}

/** One COMMIT's telemetry; amounts as decimal strings. */
export type Telemetry = {
  readonly commit: string
  readonly worker: string
  readonly model: string
  readonly tool: string
  readonly tokens: number
  readonly cost: string
  readonly wallMs: number
  readonly exitStatus: number
  readonly zone: string
}

export function noFindings(): Findings {
  return {
    events: 0,
    policies: 0,
    aside: 0,
    decide: null,
    outcome: null,
    finalizeBytesEqual: false,
    commits: []
  }
}

/** What a COMMIT says of its work. */
export function telemetryOf({ id, envelope }: Admitted<'COMMIT'>): Telemetry {
  const { cost, ...telemetry } = envelope.payload.telemetry
  return { commit: id, worker: envelope.sender, ...telemetry, cost: String(cost) }
}
