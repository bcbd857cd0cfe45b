import type { Violation } from './checkers/violation.ts'
import type { FaultName } from './faults.ts'
import type { Plan } from './plan.ts'
import type { SignatureName } from './signatures.ts'

/** What a worker is started with: the same for all of its seeds. */
export type WorkerSetup = {
  readonly faults: readonly FaultName[] | null
  readonly signatures: SignatureName | null
}

/** A seed to run. */
export type WorkerTask = { readonly seed: number }

/** What became of it. */
export type WorkerAnswer = {
  readonly seed: number
  readonly simulatedMs: number
  readonly trace: string
  readonly events: number
  readonly ends: readonly string[]
  /** Set when a rule was broken: how the seed was expanded and what happened. */
  readonly failure: null | {
    readonly violations: readonly Violation[]
    readonly plan: Plan
    readonly lines: readonly string[]
  }
}
