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

/** Voters for a group: whom to invite. `avoid` are those who were asked for an epoch before and did not join. */
export function candidatesOf(
  context: Context,
  { isFirst, avoid }: { readonly isFirst: boolean; readonly avoid: ReadonlySet<string> }
): Candidate[] {
  const most = isFirst ? CANDIDATES_INVITED_MAX : CANDIDATES_INVITED_LATER_MAX
  return reachable(context, 'voter')
    .filter(({ did }) => !avoid.has(did))
    .slice(0, most)
}

/** Whether a manifest shows that its sender is a voter now, give or take a clock difference. */
export function showsVoter(context: Context, manifest: Admitted<'MANIFEST'>): boolean {
  const { payload, notAfter } = manifest.envelope
  return payload.roles.includes('voter') && notAfter > context.nowMs - CLOCK_SKEW_MS_MAX
}
