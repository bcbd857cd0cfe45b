import { CLOCK_SKEW_MS_MAX } from '../base/index.ts'
import type { Admitted, Payload } from '../envelope/index.ts'
import type { Context } from './context.ts'

/** A voter that may become a member, and the manifest (text CID) that says so. */
export type Candidate = { readonly did: string; readonly manifest: string }

/** Invitations for one NEED; FORM names each candidate, so this bounds its size. */
const CANDIDATES_INVITED_MAX = 32
/** The same from the second epoch on: a certificate carries all FORMs of a NEED (FORMS_BYTES_MAX), and later ones carry seals. */
const CANDIDATES_INVITED_LATER_MAX = 16

type Role = Payload<'MANIFEST'>['roles'][number]

/** Agents with a current manifest of this role that are reachable now, this node included. */
export function reachable(context: Context, role: Role): Candidate[] {
  const agents: Candidate[] = []
  for (const [did, manifest] of context.manifests) {
    const { payload, notAfter } = manifest.envelope
    const isHere = did === context.did || context.connected.has(did)
    if (isHere && payload.roles.includes(role) && notAfter > context.nowMs)
      agents.push({ did, manifest: manifest.id })
  }
  return agents
}

/** Voters whom to invite to the group of a NEED's first epoch. */
export function firstCandidates(context: Context): Candidate[] {
  return reachable(context, 'voter').slice(0, CANDIDATES_INVITED_MAX)
}

/**
 * Voters whom to invite to a later epoch. Those that were absent in an earlier one come last, the most recent at the very end, and only if
 * too few are left without them, or `rounds` says that those did not answer: two that take turns must not use up all epochs.
 */
export function laterCandidates(
  context: Context,
  wanted: {
    readonly size: number
    /** The last epoch in which a voter was absent. */
    readonly absences: ReadonlyMap<string, number>
    /** Groups of the absent that are invited although enough others are there. */
    readonly rounds: number
  }
): Candidate[] {
  const ranked = Map.groupBy(
    reachable(context, 'voter'),
    ({ did }) => wanted.absences.get(did) ?? Number.NEGATIVE_INFINITY
  )
  const candidates: Candidate[] = []
  for (const [round, epoch] of [...ranked.keys()].sort((a, b) => (a < b ? -1 : 1)).entries()) {
    if (candidates.length >= wanted.size && round > wanted.rounds) break
    candidates.push(...(ranked.get(epoch) ?? []))
  }
  return candidates.slice(0, CANDIDATES_INVITED_LATER_MAX)
}

/** Whether a manifest shows that its sender is a voter now, give or take a clock difference. */
export function showsVoter(context: Context, manifest: Admitted<'MANIFEST'>): boolean {
  const { payload, notAfter } = manifest.envelope
  return payload.roles.includes('voter') && notAfter > context.nowMs - CLOCK_SKEW_MS_MAX
}
