import type { Standing } from '../envelope/index.ts'
import type { NeedState, Proposal } from './state.ts'

/** What a finding says of who gives it; null says nothing. */
type Said = Standing | null

/** Whether one more ATTEST_PLAN of a proposal counts: the first ones of an org or zone do, up to its cap. */
export function doesCount(state: NeedState, { admitted, counted }: Proposal, one: Said): boolean {
  if (state.need.envelope.payload.terms === null) return true
  const kept = counted.map(({ envelope }) => envelope.payload.standing)
  return hasRoom(state, { worker: admitted.envelope.payload.standing, kept, one })
}

/** What the decided worker said of itself with its bid. */
export function workerStanding(state: NeedState): Said {
  const proposal = state.proposals.get(String(state.decision?.proposal))
  return proposal?.admitted.envelope.payload.standing ?? null
}

/**
 * Whether one more finding counts beside those that do, under the caps of the NEED's terms (PROTOCOL: diversity). All who name no org
 * share one, or a cap would bind only those who are honest about theirs.
 */
export function hasRoom(
  state: NeedState,
  {
    worker,
    kept,
    one
  }: { readonly worker: Said; readonly kept: readonly Said[]; readonly one: Said }
): boolean {
  const { terms } = state.need.envelope.payload
  if (terms === null) return true
  const { perOrg, perZone } = terms
  const org = orgOf(one)
  // Where orgs are told apart, the worker's own is no judge of it.
  if (perOrg !== null && org !== '' && org === orgOf(worker)) return false
  const sameOrg = kept.filter(other => orgOf(other) === org).length
  const sameZone = kept.filter(other => zoneOf(other) === zoneOf(one)).length
  return (perOrg === null || sameOrg < perOrg) && (perZone === null || sameZone < perZone)
}

function orgOf(said: Said): string {
  return said?.org ?? ''
}

function zoneOf(said: Said): string {
  return said?.zone ?? ''
}
