import { CLOCK_SKEW_MS_MAX, EPOCHS_MAX, ok, type Result, refuse, toHex } from '../base/index.ts'
import { hash } from '../codec/index.ts'
import type { Admitted } from '../envelope/index.ts'
import { drawOrder, followsDraw, GROUP_SIZES, K_MAX } from './draw.ts'
import { joinBytes, rosterHash, type Verify } from './key.ts'
import { checkSeals } from './seal.ts'

/** Bytes of a FORM: every certificate carries it, beside a decision or an outcome, inside one envelope (ENVELOPE_BYTES_MAX). */
export const FORM_BYTES_MAX: number = 16 * 1024

/** Bytes of all FORMs of a NEED up to one epoch: a certificate carries them all, and an outcome needs the other half of its envelope. */
export const FORMS_BYTES_MAX: number = 32 * 1024

/** What a FORM is checked against: its NEED, and the FORMs of earlier epochs, checked, oldest first. */
export type FormContext = {
  readonly need: Admitted<'NEED'>
  readonly previous: readonly Admitted<'FORM'>[]
}

/** The group id: hash of the complete FORM envelope, as hex. */
export function groupIdOf(formBytes: Uint8Array): string {
  return toHex(hash(formBytes))
}

/**
 * Checks a FORM against its NEED: the requester signed it, the epochs before it are sealed, the roster follows the draw, every
 * member's JOIN is there and valid, the K's are no higher than asked for, and stamps may be off by no more than honest clocks
 * are (R14). The envelope's own signature has been checked at the door.
 */
export function checkForm(
  form: Admitted<'FORM'>,
  context: FormContext,
  verify: Verify
): Result<null> {
  const { need } = context
  const bound = checkTerms(form, context)
  if (!bound.ok) return bound
  const sealed = checkSeals(form, context, verify)
  if (!sealed.ok) return sealed
  const roster = checkRoster(form, need)
  return roster.ok ? checkJoins(form, need.id, verify) : roster
}

function checkTerms(form: Admitted<'FORM'>, { need, previous }: FormContext): Result<null> {
  const { payload, sender } = form.envelope
  const asked = need.envelope.payload
  if (sender !== need.envelope.sender)
    return refuse('FORM_NOT_BY_REQUESTER', 'only the requester forms the group')
  const attempt = payload.epoch - asked.epoch
  const names = payload.need.toString() === need.id && payload.slot === asked.slot
  if (!names || attempt < 0 || attempt >= EPOCHS_MAX)
    return refuse('FORM_OTHER_NEED', 'the FORM names another NEED, slot or epoch')
  const before = previous.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (form.bytes.length > FORM_BYTES_MAX || form.bytes.length + before > FORMS_BYTES_MAX)
    return refuse(
      'FORM_TOO_LARGE',
      `a FORM has at most ${FORM_BYTES_MAX} bytes, all of a NEED together ${FORMS_BYTES_MAX}`
    )
  if (payload.precisionMs > CLOCK_SKEW_MS_MAX)
    return refuse('FORM_PRECISION', `stamps may be off by at most ${CLOCK_SKEW_MS_MAX} ms`)
  const inRange = (k: number, target: number): boolean =>
    k >= 1 && k <= Math.min(K_MAX, Math.max(1, target))
  if (!inRange(payload.kPlan, asked.kPlan) || !inRange(payload.kResult, asked.kResult)) {
    return refuse('FORM_K', 'K is outside what the NEED asked for')
  }
  return ok(null)
}

function checkRoster(form: Admitted<'FORM'>, need: Admitted<'NEED'>): Result<null> {
  const { payload, sender } = form.envelope
  if (payload.tier === 'single') {
    const alone = payload.roster.length === 1 && payload.roster[0] === sender
    if (!alone || !need.envelope.payload.solo)
      return refuse(
        'FORM_SINGLE',
        'single-node mode is the requester alone, on a NEED that says solo'
      )
    return ok(null)
  }
  if (!GROUP_SIZES.includes(payload.roster.length))
    return refuse('FORM_SIZE', `a group has ${GROUP_SIZES.join(' or ')} members`)
  const order = drawOrder(
    need.id,
    payload.epoch,
    payload.candidates.map(candidate => candidate.did)
  )
  if (!followsDraw(order, payload.roster))
    return refuse('FORM_DRAW', 'the roster does not follow the draw')
  return ok(null)
}

function checkJoins(form: Admitted<'FORM'>, thread: string, verify: Verify): Result<null> {
  const { payload } = form.envelope
  const key = { thread, slot: payload.slot, epoch: payload.epoch }
  const promised = joinBytes(key, rosterHash(key, payload.roster))
  const valid = new Set<string>()
  for (const join of payload.joins) {
    if (payload.roster.includes(join.member) && verify(join.member, promised, join.sig))
      valid.add(join.member)
  }
  return valid.size === payload.roster.length
    ? ok(null)
    : refuse('FORM_JOINS', 'a member has not joined this roster')
}
