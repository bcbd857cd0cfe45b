import { CLOCK_SKEW_MS_MAX, ok, type Result, refuse, toHex } from '../base/index.ts'
import { hash, taggedBytes, taggedHash } from '../codec/index.ts'
import { type Admitted, TAGS } from '../envelope/index.ts'
import { drawOrder, followsDraw, GROUP_SIZE, K_MAX } from './draw.ts'

/** Bytes of a FORM: every certificate carries it, beside a decision or an outcome, inside one envelope (ENVELOPE_BYTES_MAX). */
export const FORM_BYTES_MAX: number = 16 * 1024

/** Pure strict Ed25519, handed in by the shell (R3). */
export type Verify = (did: string, bytes: Uint8Array, signature: Uint8Array) => boolean

/** The (slot, epoch) of one thread: what a JOIN, a lock and a vote are unique for. */
export type EpochKey = { readonly thread: string; readonly slot: string; readonly epoch: number }

/** What JOIN promises: exactly these members, in this order, for this (slot, epoch). */
export function rosterHash(key: EpochKey, roster: readonly string[]): Uint8Array {
  return taggedHash(TAGS.roster, { ...key, roster })
}

/** The bytes that a member signs to join. */
export function joinBytes(key: EpochKey, roster: Uint8Array): Uint8Array {
  return taggedBytes(TAGS.join, { ...key, roster })
}

/** The group id: hash of the complete FORM envelope, as hex. */
export function groupIdOf(formBytes: Uint8Array): string {
  return toHex(hash(formBytes))
}

/**
 * Checks a FORM against its NEED: the requester signed it, the roster follows the draw, every member's JOIN is there and valid,
 * the K's are no higher than asked for, and stamps may be off by no more than honest clocks are (R14). The envelope's own signature has been checked at the door.
 */
export function checkForm(
  form: Admitted<'FORM'>,
  need: Admitted<'NEED'>,
  verify: Verify
): Result<null> {
  const { payload, sender } = form.envelope
  const asked = need.envelope.payload
  if (sender !== need.envelope.sender)
    return refuse('FORM_NOT_BY_REQUESTER', 'only the requester forms the group')
  if (
    payload.need.toString() !== need.id ||
    payload.slot !== asked.slot ||
    payload.epoch !== asked.epoch
  ) {
    return refuse('FORM_OTHER_NEED', 'the FORM names another NEED, slot or epoch')
  }
  if (form.bytes.length > FORM_BYTES_MAX)
    return refuse('FORM_TOO_LARGE', `a FORM has at most ${FORM_BYTES_MAX} bytes`)
  if (payload.epoch > 0 && payload.seal === null)
    return refuse('FORM_SEAL', 'a later epoch needs the seals of the epoch before (R11)')
  if (payload.precisionMs > CLOCK_SKEW_MS_MAX)
    return refuse('FORM_PRECISION', `stamps may be off by at most ${CLOCK_SKEW_MS_MAX} ms`)
  const inRange = (k: number, target: number): boolean =>
    k >= 1 && k <= Math.min(K_MAX, Math.max(1, target))
  if (!inRange(payload.kPlan, asked.kPlan) || !inRange(payload.kResult, asked.kResult)) {
    return refuse('FORM_K', 'K is outside what the NEED asked for')
  }
  const roster = checkRoster(form, need)
  return roster.ok ? checkJoins(form, need.id, verify) : roster
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
  if (payload.roster.length !== GROUP_SIZE)
    return refuse('FORM_SIZE', `a group has ${GROUP_SIZE} members`)
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
