import type { FaultName, RuleName } from '../../src/simulator/index.ts'

/** A text of a file below src/ that is replaced. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string }

/** One deliberate bug: a text of the source that is replaced where it stands, and the checker that must find it. */
export type Mutant = {
  readonly name: string
  /** Below src/. */
  readonly file: string
  /** Occurs exactly once in the file; when it does not, the list has to follow the source. */
  readonly find: string
  readonly replace: string
  /** Settings that bring the bug into reach, harmless by themselves. */
  readonly also?: readonly Edit[]
  /** Any of these finds it. */
  readonly rules: readonly RuleName[]
  /** Within so many seeds. */
  readonly seedsMax: number
  /** One of them that showed it before: looked at first, and all the others after it. It saves time and decides nothing; a stale one is only slower. */
  readonly seedSeen?: number
  /** Faults that bring it out; all of them when absent. */
  readonly faults?: readonly FaultName[]
}
