import type { CID } from '../../src/core/codec/index.ts'
import type { Fact, Payload } from '../../src/core/envelope/index.ts'

const NOTE: Fact = { kind: 'ANNOTATE', task: 'text/upper', key: 'note', value: 'a fact' }

/** An UPDATE_PLAN's payload: the first of its session unless it names the one before. */
export function planPayload(
  facts: readonly Fact[] = [NOTE],
  place: { readonly session?: number; readonly seq?: number; readonly previous?: CID | null } = {}
): Payload<'UPDATE_PLAN'> {
  return { session: 0, seq: 1, previous: null, ...place, facts: [...facts] }
}
