import { equals } from '../base/index.ts'
import type { Admitted, Certificate, Payload } from '../envelope/index.ts'
import type { Thread } from './thread.ts'

/** FORMs and certificates of one thread that are kept, beside those that the thread cannot go on without. */
const CERTIFIED_MAX = 64

type CertificateVerb = 'DECIDE' | 'FINALIZE' | 'INVALIDATE'

/**
 * Whether there is room for a FORM or a certificate. Anybody can put a certificate that holds into envelopes of its own, without end: of those that
 * say the same, one is kept of each member and of the requester, and a stranger's only where there is none. What the thread waits for always has room.
 */
export function hasCertifiedRoom(thread: Thread, admitted: Admitted): boolean {
  if (isAwaited(thread, admitted)) return true
  if (thread.certified.length >= CERTIFIED_MAX) return false
  const certificate = certificateIn(admitted)
  if (certificate === null) return true
  const same = thread.certified.filter(held => saysTheSame(certificateIn(held), certificate))
  if (same.length === 0) return true
  const { sender } = admitted.envelope
  if (!isInsider(thread, certificate, sender)) return false
  return same.every(held => held.sender !== sender)
}

/** The first FORM of an epoch, and the first decision and end of the group that is followed: once taken, they are not awaited any more. */
export function isAwaited(thread: Thread, admitted: Admitted): boolean {
  const { verb } = admitted.envelope
  if (verb === 'FORM') {
    const { epoch } = (admitted as Admitted<'FORM'>).envelope.payload
    return !thread.certified.some(
      held => held.verb === 'FORM' && (held as Admitted<'FORM'>).envelope.payload.epoch === epoch
    )
  }
  const certificate = certificateIn(admitted)
  const { group } = thread
  if (certificate === null || group === null) return false
  if (!equals(certificate.form, group.form.bytes)) return false
  if (verb === 'DECIDE') return thread.decide === null
  const { outcome } = (admitted as Admitted<'FINALIZE' | 'INVALIDATE'>).envelope.payload
  return thread.end === null && (outcome.result === 'INVALID') === (verb === 'INVALIDATE')
}

function certificateIn(admitted: Admitted): Certificate | null {
  const { payload } = admitted.envelope
  return 'certificate' in payload ? (payload as Payload<CertificateVerb>).certificate : null
}

function saysTheSame(held: Certificate | null, certificate: Certificate): boolean {
  return (
    held !== null &&
    held.stage === certificate.stage &&
    equals(held.digest, certificate.digest) &&
    equals(held.form, certificate.form)
  )
}

/** A member of the certificate's roster, as far as its FORM is known here, or the requester. */
function isInsider(thread: Thread, certificate: Certificate, sender: string): boolean {
  if (sender === thread.need.envelope.sender) return true
  const form = thread.forms().find(({ bytes }) => equals(bytes, certificate.form))
  return form?.envelope.payload.roster.includes(sender) === true
}
