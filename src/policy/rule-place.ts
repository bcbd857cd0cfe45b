import type { Source } from './capsule-dag.ts'
import { type Literal, outlineOf, type Statement } from './rego-outline.ts'

/** Where to look: the sources of a capsule, and what of them answers. */
export type Searched = {
  readonly sources: readonly Source[]
  /** Rego path of the rule that answers: base/decision. */
  readonly entrypoint: string
  /** Of the question. */
  readonly gate: unknown
}

type Placed = { readonly path: string; readonly statement: Statement }
type Candidate = { readonly path: string; readonly line: number; readonly rank: number }

/**
 * Where the name of a rule stands that objected, as `path:line`; null when it stands nowhere. What the gate of the question never comes to is
 * looked at last, and a name given as a name (`reason("zone", ...)`, `["zone", ...]`) comes before the same word as a path.
 */
export function placeOf(rule: string, searched: Searched): string | null {
  const placed = searched.sources.flatMap(({ path, text }) =>
    outlineOf(text).map(statement => ({ path, statement }))
  )
  const best = bestOf(rule, reached(placed, searched)) ?? bestOf(rule, placed)
  return best === null ? null : `${best.path}:${best.line}`
}

/** What the entrypoint comes to by the names that it uses, without what is only for other gates. */
function reached(placed: readonly Placed[], { entrypoint, gate }: Searched): Placed[] {
  const asked = placed.filter(
    ({ statement: { gates } }) => gates.length === 0 || gates.some(one => one === gate)
  )
  const names = new Set([entrypoint.slice(entrypoint.lastIndexOf('/') + 1)])
  // A set that grows while it is walked.
  for (const name of names)
    for (const { statement } of asked)
      if (statement.defines === name) for (const used of statement.uses) names.add(used)
  return asked.filter(({ statement }) => names.has(statement.defines))
}

function bestOf(rule: string, placed: readonly Placed[]): Candidate | null {
  const candidates = placed.flatMap(({ path, statement }) =>
    statement.literals
      .filter(({ text }) => text === rule)
      .map(literal => ({ path, line: literal.line, rank: rankOf(literal, statement) }))
  )
  return candidates.reduce<Candidate | null>(
    (best, one) => (best === null || one.rank > best.rank ? one : best),
    null
  )
}

/** How likely a literal names the rule. */
function rankOf({ within, isFirst, isInHead }: Literal, { isContains }: Statement): number {
  if (!isFirst) return isContains && isInHead && within === '[' ? 1 : 0
  if (within === '(') return 6
  return (isContains ? 4 : 2) + (isInHead ? 1 : 0)
}
