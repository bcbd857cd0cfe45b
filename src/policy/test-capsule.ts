import { isDeepStrictEqual } from 'node:util'
import { openWasm } from '../adapters/opa/index.ts'
import type { PolicyDecision } from '../core/policy/index.ts'
import type { CapsuleDag } from './capsule-dag.ts'

export type VectorReport = {
  readonly name: string
  readonly ok: boolean
  readonly expected: PolicyDecision
  readonly decided: PolicyDecision | null
}

export type TestReport = {
  readonly cid: string
  readonly ok: boolean
  /** Why the wasm is no policy at all; then no vector was run. */
  readonly flaw: string | null
  readonly vectors: readonly VectorReport[]
}

/** Runs every vector of a capsule and says of each how it went, where loading stops at the first that fails. */
export function testCapsule({ capsule }: CapsuleDag): TestReport {
  const { cid, wasm, entrypoint, limits } = capsule
  const opened = openWasm(wasm, { entrypoint, limits })
  if (!opened.ok) {
    const { message, code } = opened.refusal
    return { cid, ok: false, flaw: `${message} (${code})`, vectors: [] }
  }
  const vectors = capsule.vectors.map(({ name, input, decision: expected }) => {
    const decided = opened.value(input)
    return { name, ok: isDeepStrictEqual(decided, expected), expected, decided }
  })
  return { cid, ok: vectors.every(vector => vector.ok), flaw: null, vectors }
}
