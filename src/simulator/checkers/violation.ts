/** What a checker holds a run to. */
export type RuleName =
  | 'election safety'
  | 'log matching'
  | 'leader completeness'
  | 'state machine safety'
  | 'commit rule'
  | 'truncation'
  | 'pre-vote'
  | 'durability'
  | 'one promise'
  | 'seal'
  | 'evidence'
  | 'void'
  | 'findings'
  | 'one decision'
  | 'one outcome'
  | 'carried decision'
  | 'certificate'
  | 'identity'
  | 'door'
  | 'copies'
  | 'tombstone'
  | 'log time'
  | 'fencing'
  | 'ledger'
  | 'replay'
  | 'verdict'
  | 'challenge'
  | 'plan'
  | 'liveness'
  | 'crash'

/** A rule that did not hold, and when. */
export type Violation = {
  readonly rule: RuleName
  readonly message: string
  /** Virtual ms since the start of the world. */
  readonly atMs: number
}

/** More say nothing new. */
const VIOLATIONS_MAX = 16

/** Where checkers report to. */
export class Findings {
  readonly violations: Violation[] = []
  readonly #sinceStart: () => number

  constructor(sinceStart: () => number) {
    this.#sinceStart = sinceStart
  }

  report(rule: RuleName, message: string): void {
    if (this.violations.length < VIOLATIONS_MAX)
      this.violations.push({ rule, message, atMs: this.#sinceStart() })
  }

  check(holds: boolean, rule: RuleName, message: () => string): void {
    if (!holds) this.report(rule, message())
  }
}
