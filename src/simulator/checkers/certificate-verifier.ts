import type { Verify } from '../../core/roster/index.ts'
import { hexOf, type Statement, sha256, statementOf, tagged, taggedHash } from './statements.ts'

/** A certificate that holds, by the reading below. */
export type Certified = {
  readonly thread: string
  readonly slot: string
  readonly epoch: number
  readonly stage: 'decide' | 'outcome'
  readonly digest: string
  readonly group: string
  readonly roster: readonly string[]
  // biome-ignore lint/suspicious/noExplicitAny: the decision or outcome as decoded.
  readonly body: any
}

/** Why a certificate does not hold, or what it certifies. */
export type Verdict = { readonly flaw: string } | { readonly certified: Certified }

type Context = { readonly need: Statement; readonly previous: readonly Statement[] }
type Signed = { readonly member: string; readonly sig: Uint8Array }

/** The certificate in a DECIDE, FINALIZE or INVALIDATE, checked by protocols/group alone: none of the core's checks is called. */
export function verifyCertified(statement: Statement, need: Statement, verify: Verify): Verdict {
  const { certificate } = statement.payload
  const stage = statement.verb === 'DECIDE' ? 'decide' : 'outcome'
  const body = stage === 'decide' ? statement.payload.decision : statement.payload.outcome
  const digest = taggedHash(stage === 'decide' ? TAG.decision : TAG.outcome, body)
  const form = statementOf(certificate.form)
  const forms = [...certificate.previous.map(statementOf), form]
  const carried = carriedProposal(forms)
  const flaw =
    bodyFlaw(statement, body, need, form) ??
    (certificate.stage !== stage ? 'it is of another stage' : null) ??
    (hexOf(certificate.digest) !== hexOf(digest) ? 'its digest is another' : null) ??
    formsFlaw(forms, need, verify) ??
    votesFlaw(certificate, form, verify) ??
    (stage === 'decide' && carried !== null && String(body.proposal) !== carried
      ? 'another proposal than the one that is carried over'
      : null)
  if (flaw !== null) return { flaw }
  const { slot, epoch, roster } = form.payload
  const group = hexOf(sha256(certificate.form))
  return {
    certified: { thread: need.id, slot, epoch, stage, digest: hexOf(digest), group, roster, body }
  }
}

const TAG = {
  draw: 'can-swarm/draw/v1',
  roster: 'can-swarm/roster/v1',
  join: 'can-swarm/join/v1',
  seal: 'can-swarm/epoch-seal/v1',
  decision: 'can-swarm/decision/v1',
  outcome: 'can-swarm/outcome/v1',
  vote: 'can-swarm/vote/v1'
} as const

/** GROUP-14 and GROUP-16. */
function bodyFlaw(
  statement: Statement,
  body: { need: unknown; slot: string; epoch: number; result?: string },
  need: Statement,
  form: Statement
): string | null {
  if (String(body.need) !== need.id || statement.thread !== need.id) return 'another NEED'
  if (body.slot !== need.payload.slot || body.epoch !== form.payload.epoch)
    return 'another slot or epoch'
  const isInvalid = body.result === 'INVALID'
  return (statement.verb === 'INVALIDATE') === isInvalid ? null : 'a verb that does not fit'
}

/** What is wrong with the FORMs of a NEED, oldest first, each checked with those before it; null when all hold. */
export function formsFlaw(
  forms: readonly Statement[],
  need: Statement,
  verify: Verify
): string | null {
  for (const [i, form] of forms.entries()) {
    const flaw = formFlaw(form, { need, previous: forms.slice(0, i) }, verify)
    if (flaw !== null) return i === forms.length - 1 ? flaw : `an earlier FORM: ${flaw}`
  }
  return null
}

/** GROUP-6 to GROUP-9 and GROUP-17. */
function formFlaw(form: Statement, context: Context, verify: Verify): string | null {
  const { need, previous } = context
  const { payload } = form
  if (form.verb !== 'FORM') return 'no FORM'
  if (!verify(form.sender, form.signed, form.sig)) return 'the signature of FORM is wrong'
  if (form.sender !== need.sender) return 'FORM is not by the requester'
  if (String(payload.need) !== need.id || payload.slot !== need.payload.slot)
    return 'FORM names another NEED or slot'
  const attempt = payload.epoch - need.payload.epoch
  if (attempt < 0 || attempt > 3) return 'FORM is of another epoch'
  const bytes = [...previous, form].reduce((sum, each) => sum + each.bytes.length, 0)
  if (form.bytes.length > 16_384 || bytes > 32_768 || payload.precisionMs > 10_000)
    return 'FORM is beyond a limit'
  for (const name of ['kPlan', 'kResult'] as const) {
    const most = Math.min(64, Math.max(1, need.payload[name]))
    if (payload[name] < 1 || payload[name] > most) return `${name} is out of range`
  }
  return sealsFlaw(form, context, verify) ?? rosterFlaw(form, need) ?? joinsFlaw(form, need, verify)
}

/** GROUP-17: every epoch since the last FORM is sealed by more than two thirds of its roster. */
function sealsFlaw(form: Statement, { need, previous }: Context, verify: Verify): string | null {
  const last = previous.at(-1)
  let epoch: number = last?.payload.epoch ?? need.payload.epoch
  for (const sealed of sealsOf(form)) {
    const formOf = epoch === last?.payload.epoch ? last : undefined
    if (sealed.epoch !== epoch) return `epoch ${epoch} is not sealed`
    if (String(sealed.form) !== String(formOf?.id ?? null)) return 'another FORM is sealed'
    if (formOf !== undefined && formOf.payload.roster.join() !== sealed.roster.join())
      return 'another roster is sealed'
    const key = { thread: need.id, slot: form.payload.slot, epoch }
    const roster = taggedHash(TAG.roster, { ...key, roster: sealed.roster })
    const signers = new Set<string>()
    for (const { member, digest, proposal, sig } of sealed.seals) {
      const subject = {
        ...key,
        roster,
        digest,
        proposal: proposal === null ? null : String(proposal)
      }
      if (sealed.roster.includes(member) && verify(member, tagged(TAG.seal, subject), sig))
        signers.add(member)
    }
    if (3 * signers.size <= 2 * sealed.roster.length)
      return `${signers.size} seals of epoch ${epoch}`
    epoch += 1
  }
  if (epoch !== form.payload.epoch) return `epoch ${epoch} is not sealed`
  return carriedProposal([...previous, form]) === 'conflict' ? 'seals that contradict' : null
}

/** The proposal that the seals of some FORMs bind the last of them to; null when it is free. */
export function carriedProposal(forms: readonly Statement[]): string | null {
  const shown = new Set<string>()
  for (const sealed of forms.flatMap(sealsOf))
    for (const { proposal } of sealed.seals) if (proposal !== null) shown.add(String(proposal))
  return shown.size > 1 ? 'conflict' : ([...shown][0] ?? null)
}

type Sealed = {
  readonly epoch: number
  readonly form: unknown
  readonly roster: readonly string[]
  readonly seals: readonly (Signed & {
    readonly digest: Uint8Array | null
    readonly proposal: unknown
  })[]
}

export function sealsOf({ payload }: Statement): readonly Sealed[] {
  return payload.seal === null ? [] : [...payload.earlierSeals, payload.seal]
}

function rosterFlaw({ payload, sender }: Statement, need: Statement): string | null {
  const roster: readonly string[] = payload.roster
  if (payload.tier === 'single')
    return need.payload.solo && roster.length === 1 && roster[0] === sender
      ? null
      : 'a single roster that is not the requester alone'
  if (roster.length !== 4 && roster.length !== 7) return 'a roster of another size'
  const scores = new Map<string, string>()
  const { epoch } = payload
  for (const { did } of payload.candidates as readonly { did: string }[])
    scores.set(did, hexOf(taggedHash(TAG.draw, { need: need.id, epoch, did, ticket: 0 })))
  for (const [place, did] of roster.entries()) {
    const score = scores.get(did)
    if (score === undefined) return 'a member that is no candidate'
    const before = place === 0 ? '' : (scores.get(roster[place - 1] as string) as string)
    if (score <= before) return 'a roster that does not follow the draw'
  }
  return null
}

function joinsFlaw({ payload }: Statement, need: Statement, verify: Verify): string | null {
  const key = { thread: need.id, slot: payload.slot, epoch: payload.epoch }
  const roster = taggedHash(TAG.roster, { ...key, roster: payload.roster })
  const missing = withoutSignature(payload.roster, payload.joins, {
    bytes: tagged(TAG.join, { ...key, roster }),
    verify
  })
  return missing.length === 0 ? null : 'a member that has not joined'
}

/** More than two thirds of the roster, each counted once. */
function votesFlaw(
  certificate: { votes: readonly Signed[]; stage: string; digest: Uint8Array; form: Uint8Array },
  { payload }: Statement,
  verify: Verify
): string | null {
  const { slot, epoch, roster } = payload
  const { stage, digest } = certificate
  const group = hexOf(sha256(certificate.form))
  const missing = withoutSignature(roster, certificate.votes, {
    bytes: tagged(TAG.vote, { group, slot, epoch, stage, digest }),
    verify
  })
  const votes = roster.length - missing.length
  return 3 * votes > 2 * roster.length ? null : `${votes} votes of ${roster.length}`
}

/** The members of whom there is no good signature. */
function withoutSignature(
  roster: readonly string[],
  signed: readonly Signed[],
  { bytes, verify }: { readonly bytes: Uint8Array; readonly verify: Verify }
): string[] {
  return roster.filter(
    member => !signed.some(each => each.member === member && verify(member, bytes, each.sig))
  )
}
