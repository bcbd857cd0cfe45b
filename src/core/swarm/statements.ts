import { equals } from '../base/index.ts'
import { type Admitted, type Certificate, type Decision, parseEnvelope } from '../envelope/index.ts'
import { type EvidenceOf, rosterHash, sealsOf } from '../roster/index.ts'
import type { Stage } from './types.ts'

/** What members and requesters have signed about one NEED, taken out of the envelopes that carry it. */

export type Form = Admitted<'FORM'>

/** A finality vote, and the FORM of the group that it was cast in. */
export type SeenVote = {
  readonly member: string
  readonly stage: Stage
  readonly digest: Uint8Array
  readonly sig: Uint8Array
  readonly epoch: number
  readonly form: Uint8Array
}

/** A certificate as an envelope carries it, with the decision and the epoch that its body names. */
export type SeenCertificate = {
  readonly epoch: number
  readonly certificate: Certificate
  readonly decision: Decision | null
}

/** A SEAL, and whose it is. */
export type SeenSeal = {
  readonly member: string
  readonly epoch: number
  readonly seal: EvidenceOf<'sealed-vote'>['seal']
}

/** The FORMs that an envelope is or carries, as bytes. */
export function formsIn(admitted: Admitted): readonly Uint8Array[] {
  if (admitted.envelope.verb === 'FORM') return [admitted.bytes]
  const seen = certificateIn(admitted)
  return seen === null ? [] : [...seen.certificate.previous, seen.certificate.form]
}

export function certificateIn({ envelope }: Admitted): SeenCertificate | null {
  if (envelope.verb === 'DECIDE') {
    const { decision, certificate } = (envelope as Admitted<'DECIDE'>['envelope']).payload
    return { epoch: decision.epoch, certificate, decision }
  }
  if (envelope.verb !== 'FINALIZE' && envelope.verb !== 'INVALIDATE') return null
  const { outcome, certificate } = (envelope as Admitted<'FINALIZE'>['envelope']).payload
  return { epoch: outcome.epoch, certificate, decision: null }
}

export function votesIn({ epoch, certificate }: SeenCertificate): readonly SeenVote[] {
  const { stage, digest, form } = certificate
  return certificate.votes.map(({ member, sig }) => ({ member, stage, digest, sig, epoch, form }))
}

/** The SEALs on which a FORM rests. `read` parses a FORM, or knows it. */
export function sealsIn(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => Form | null
): readonly SeenSeal[] {
  const form = read(bytes)
  return form === null ? [] : sealsBehind(form)
}

function sealsBehind(form: Form): readonly SeenSeal[] {
  const { need, slot } = form.envelope.payload
  return sealsOf(form).flatMap(({ epoch, roster, seals }) => {
    const hash = rosterHash({ thread: need.toString(), slot, epoch }, roster)
    return seals.map(({ member, digest, proposal, sig }) => ({
      member,
      epoch,
      seal: { roster: hash, digest, proposal, sig }
    }))
  })
}

const parsed = new WeakMap<Uint8Array, Form | 'none'>()

/**
 * A FORM out of its bytes. Every certificate carries a copy: one that is `among` envelopes which were parsed already is not parsed
 * again, and no copy is parsed twice.
 */
export function formOf(bytes: Uint8Array, among: readonly Admitted[]): Form | null {
  const known = parsed.get(bytes)
  if (known !== undefined) return known === 'none' ? null : known
  const same = among.find(other => other.envelope.verb === 'FORM' && equals(other.bytes, bytes)) as
    | Form
    | undefined
  const form = same ?? parseForm(bytes)
  parsed.set(bytes, form ?? 'none')
  return form
}

/** A FORM that was parsed already: its bytes need no second look, nor a second place in memory. */
export function rememberForm(form: Form): void {
  parsed.set(form.bytes, form)
}

function parseForm(bytes: Uint8Array): Form | null {
  const result = parseEnvelope(bytes)
  return result.ok && result.value.envelope.verb === 'FORM' ? (result.value as Form) : null
}
