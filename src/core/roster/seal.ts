import { equals, ok, type Result, refuse, toHex } from '../base/index.ts'
import { taggedBytes } from '../codec/index.ts'
import { type Admitted, type EpochSeal, TAGS } from '../envelope/index.ts'
import { GROUP_SIZES, quorumOf } from './draw.ts'
import type { EpochKey, Verify } from './key.ts'
import { rosterHash } from './key.ts'

/** What a member says when it leaves an epoch for good: with which roster, and which decision it had locked. */
export type SealSubject = EpochKey & {
  /** Hash of the roster that the member had promised to join. */
  readonly roster: Uint8Array
  /** Digest and PROPOSE (text CID) of the decision that it was locked on; both null when it was locked on none. */
  readonly digest: Uint8Array | null
  readonly proposal: string | null
}

/** The decision that the seals of earlier epochs bind a group to. */
export type Carried = { readonly digest: Uint8Array; readonly proposal: string }

/** The bytes that a member signs to seal an epoch: it takes part in it no more (R11). */
export function sealBytes(subject: SealSubject): Uint8Array {
  return taggedBytes(TAGS.epochSeal, subject)
}

/** All seals that a FORM rests on, oldest epoch first. Empty in the NEED's own epoch. */
export function sealsOf(form: Admitted<'FORM'>): readonly EpochSeal[] {
  const { seal, earlierSeals } = form.envelope.payload
  return seal === null ? [] : [...earlierSeals, seal]
}

/**
 * The decision that the group of the last FORM is bound to, or null when it is free. `forms` are the FORMs of a NEED with the
 * one in question last. A certified decision shows in at least one seal of every quorum, so: what any epoch's seals show is
 * carried, by later epochs as well; seals that show two different decisions, or another one than is carried, allow no FORM.
 */
export function carriedBy(forms: readonly Admitted<'FORM'>[]): Result<Carried | null> {
  let carried: Carried | null = null
  for (const { seals } of forms.flatMap(sealsOf)) {
    let shown: Carried | null = null
    for (const { digest, proposal } of seals) {
      if (digest === null || proposal === null) continue
      const found = { digest, proposal: proposal.toString() }
      if (shown !== null && !isSame(shown, found)) return conflict()
      shown = found
    }
    if (shown === null) continue
    if (carried !== null && carried.proposal !== shown.proposal) return conflict()
    carried = shown
  }
  return ok(carried)
}

function isSame(a: Carried, b: Carried): boolean {
  return a.proposal === b.proposal && equals(a.digest, b.digest)
}

function conflict(): Result<never> {
  return refuse('FORM_CARRY', 'the seals show different decisions: no group can be bound to both')
}

/**
 * Checks what a FORM says about the epochs before its own: none in the NEED's own epoch; otherwise every epoch from that of
 * the last FORM on is sealed by more than two thirds of its roster. `previous` are the FORMs of earlier epochs, checked, oldest first.
 */
export function checkSeals(
  form: Admitted<'FORM'>,
  context: { readonly need: Admitted<'NEED'>; readonly previous: readonly Admitted<'FORM'>[] },
  verify: Verify
): Result<null> {
  const { need, previous } = context
  const { epoch, seal, earlierSeals, slot } = form.envelope.payload
  const first = need.envelope.payload.epoch
  if ((epoch === first) !== (seal === null) || (seal === null && earlierSeals.length > 0))
    return refuse(
      'FORM_SEAL',
      'a later epoch, and no other, has the seals of the epoch before (R11)'
    )
  const last = previous.at(-1)
  if (epoch === first && last !== undefined)
    return refuse('FORM_PREVIOUS', "no FORM comes before that of the NEED's own epoch")
  let expected = last?.envelope.payload.epoch ?? first
  for (const sealed of sealsOf(form)) {
    const formOf = expected === last?.envelope.payload.epoch ? last : null
    if (sealed.epoch !== expected)
      return refuse('FORM_PREVIOUS', `epoch ${expected} is not sealed here`)
    if ((sealed.form?.toString() ?? null) !== (formOf?.id ?? null))
      return refuse('FORM_PREVIOUS', `another FORM of epoch ${expected} is sealed than is known`)
    if (formOf === null && !hasGroupSize(sealed.roster, need))
      return refuse('FORM_SEAL', 'the sealed roster has no size that a group has')
    const checked = checkSeal(sealed, { thread: need.id, slot, epoch: expected }, formOf, verify)
    if (!checked.ok) return checked
    expected += 1
  }
  if (expected !== epoch) return refuse('FORM_PREVIOUS', `epoch ${expected} is not sealed here`)
  const carried = carriedBy([...previous, form])
  return carried.ok ? ok(null) : carried
}

/**
 * A roster of an epoch that never came to a FORM. Its draw cannot be checked, since only FORM names the candidates: each of its members checked it
 * before it promised, and a quorum of them sealed. A roster that the requester made up is convicted by any FORM of that epoch (`broken-chain`).
 */
function hasGroupSize({ length }: readonly string[], need: Admitted<'NEED'>): boolean {
  return GROUP_SIZES.includes(length) || (length === 1 && need.envelope.payload.solo)
}

/** One sealed epoch: its roster is that of its FORM where there is one, and a quorum of it has sealed. A member counts once. */
function checkSeal(
  sealed: EpochSeal,
  key: EpochKey,
  form: Admitted<'FORM'> | null,
  verify: Verify
): Result<null> {
  const { roster, seals } = sealed
  if (roster.length === 0 || new Set(roster).size !== roster.length)
    return refuse('FORM_SEAL', 'a sealed roster names each member once')
  if (form !== null && form.envelope.payload.roster.join() !== roster.join())
    return refuse('FORM_SEAL', 'the sealed roster is not that of the FORM')
  const promised = rosterHash(key, roster)
  const sealing = new Set<string>()
  for (const { member, digest, proposal, sig } of seals) {
    const subject = { ...key, roster: promised, digest, proposal: proposal?.toString() ?? null }
    const isWhole = (digest === null) === (proposal === null)
    if (!isWhole || !roster.includes(member) || sealing.has(member))
      return refuse('FORM_SEAL', `the seal of ${member} is not one of a member, once, whole`)
    if (!verify(member, sealBytes(subject), sig))
      return refuse('FORM_SEAL', `the seal of ${member} is not signed by it`)
    sealing.add(member)
  }
  const quorum = quorumOf(roster.length)
  return sealing.size >= quorum
    ? ok(null)
    : refuse('FORM_SEAL', `${sealing.size} members sealed epoch ${key.epoch}, ${quorum} are needed`)
}

/** Name of what a seal shows, for counting: empty for nothing. */
export function shownBy(seal: Pick<SealSubject, 'digest' | 'proposal'>): string {
  return seal.digest === null || seal.proposal === null
    ? ''
    : `${seal.proposal} ${toHex(seal.digest)}`
}
