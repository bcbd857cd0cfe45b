import * as v from 'valibot'
import { ENVELOPE_BYTES_MAX, ok, type Result, refuse } from '../base/index.ts'
import { decodeStrict, encode } from '../codec/index.ts'
import { anyBytes, type Decision, type Outcome } from '../envelope/index.ts'
import { type CheckedCertificate, checkDecision, checkOutcome } from './certificate.ts'
import { quorumOf } from './draw.ts'
import type { Verify } from './key.ts'
import { openSigned, otherFormat } from './signed.ts'

/** Names the shape and its version; a reader refuses any other. */
export const CERTIFICATE_FORMAT = 'can-swarm/certificate/v1'

/** Bytes of a certificate file: two envelopes and their frame. */
export const CERTIFICATE_FILE_BYTES_MAX: number = 2 * ENVELOPE_BYTES_MAX + 1024

const certificateFile = v.strictObject({
  format: v.literal(CERTIFICATE_FORMAT),
  /** The complete NEED envelope. */
  need: anyBytes,
  /** The complete DECIDE, FINALIZE or INVALIDATE envelope; FORM and votes are inside. */
  envelope: anyBytes
})

/** A certified decision or outcome with the NEED that it is about: all that a stranger needs to check it. */
export type CertificateFile = { readonly need: Uint8Array; readonly envelope: Uint8Array }

/** What a certificate says, once it holds. */
export type CertifiedClaim = {
  readonly verb: 'DECIDE' | 'FINALIZE' | 'INVALIDATE'
  readonly thread: string
  readonly requester: string
  readonly slot: string
  readonly epoch: number
  readonly stage: 'decide' | 'outcome'
  /** Where the roster came from, and so what the certificate promises. */
  readonly tier: 'discovery' | 'single'
  readonly group: string
  readonly roster: readonly string[]
  readonly signers: readonly string[]
  readonly quorum: number
  readonly decision: Decision | null
  readonly outcome: Outcome | null
}

export function encodeCertificateFile({ need, envelope }: CertificateFile): Uint8Array {
  return encode({ format: CERTIFICATE_FORMAT, need, envelope })
}

/** A certificate file from a stranger's bytes: size, canonical form, shape. Says nothing about its truth. */
export function decodeCertificateFile(encoded: Uint8Array): Result<CertificateFile> {
  if (encoded.length > CERTIFICATE_FILE_BYTES_MAX)
    return refuse(
      'PROOF_TOO_LARGE',
      `a certificate has at most ${CERTIFICATE_FILE_BYTES_MAX} bytes`
    )
  const decoded = decodeStrict(encoded)
  if (!decoded.ok) return decoded
  const named = (decoded.value as { format?: unknown } | null)?.format
  if (named !== CERTIFICATE_FORMAT) return otherFormat(decoded.value, CERTIFICATE_FORMAT)
  const parsed = v.safeParse(certificateFile, decoded.value, { abortEarly: true })
  return parsed.success
    ? ok({ need: parsed.output.need, envelope: parsed.output.envelope })
    : refuse('PROOF_SHAPE', `the certificate is malformed: ${v.summarize(parsed.issues)}`)
}

/** Checks NEED, envelope, FORM, joins and votes by their own bytes alone, and says what is certified. */
export function checkCertificateFile(
  file: CertificateFile,
  verify: Verify
): Result<CertifiedClaim> {
  const need = openSigned(file.need, ['NEED'], verify)
  if (!need.ok) return need
  const opened = openSigned(file.envelope, ['DECIDE', 'FINALIZE', 'INVALIDATE'], verify)
  if (!opened.ok) return opened
  const { payload, verb } = opened.value.envelope
  if (String(opened.value.envelope.thread) !== need.value.id)
    return refuse('CERTIFICATE_OTHER_NEED', 'the certificate is about another NEED')
  const checked =
    'decision' in payload
      ? checkDecision(payload.decision, payload.certificate, need.value, verify)
      : checkOutcome(payload.outcome, payload.certificate, need.value, verify)
  if (!checked.ok) return checked
  const outcome = 'outcome' in payload ? payload.outcome : null
  if (outcome !== null && (outcome.result === 'INVALID') !== (verb === 'INVALIDATE'))
    return refuse('CERTIFICATE_VERB', `${verb} cannot carry the outcome ${outcome.result}`)
  const decision = 'decision' in payload ? payload.decision : null
  return ok({
    verb,
    requester: need.value.envelope.sender,
    stage: payload.certificate.stage,
    ...claimOf(checked.value),
    decision,
    outcome
  })
}

function claimOf({
  form,
  group,
  signers
}: CheckedCertificate): Pick<
  CertifiedClaim,
  'thread' | 'slot' | 'epoch' | 'tier' | 'group' | 'roster' | 'signers' | 'quorum'
> {
  const { need, slot, epoch, tier, roster } = form.envelope.payload
  const quorum = quorumOf(roster.length)
  return { thread: need.toString(), slot, epoch, tier, group, roster, signers, quorum }
}
