import * as v from 'valibot'
import { compareBytes, equals, ok, type Result, refuse } from '../base/index.ts'
import { cidOf, decodeStrict, encode } from '../codec/index.ts'
import {
  anyBytes,
  bytesOf,
  type Certificate,
  certificateSchema,
  cid,
  type Decision,
  decisionSchema,
  did,
  hash32,
  uint
} from '../envelope/index.ts'
import { otherFormat } from './signed.ts'

/** Names the shape and its version; a reader refuses any other. */
export const EVIDENCE_FORMAT = 'can-swarm/evidence/v1'

/** Bytes of one evidence object: a NEED and two certificates, each of which came in an envelope of at most 64 KiB. */
export const EVIDENCE_BYTES_MAX: number = 256 * 1024

const format = v.literal(EVIDENCE_FORMAT)
const pairOf = <T>(item: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, [T, T]> =>
  v.strictTuple([item, item]) as v.GenericSchema<unknown, [T, T]>

/** A finality vote with the FORM of the group that it was cast in. */
const vote = v.strictObject({
  /** The complete FORM envelope. */
  form: anyBytes,
  /** What the member voted for. */
  digest: hash32,
  sig: bytesOf(64)
})

/** A JOIN promise. */
const join = v.strictObject({
  /** Roster hash that was promised. */
  roster: hash32,
  sig: bytesOf(64)
})

/** What a member said when it left an epoch (R11). */
const seal = v.strictObject({
  /** Hash of the roster that it had promised to join. */
  roster: hash32,
  /** Digest and PROPOSE of the decision that it was locked on, or null. */
  digest: v.nullable(hash32),
  proposal: v.nullable(cid),
  sig: bytesOf(64)
})

const evidence = v.variant('offence', [
  /** A member voted for two digests of one stage of one (slot, epoch). */
  v.strictObject({
    format,
    offence: v.literal('two-votes'),
    member: did,
    stage: v.picklist(['decide', 'outcome']),
    votes: pairOf(vote)
  }),
  /** A member promised itself to two rosters for one (slot, epoch). */
  v.strictObject({
    format,
    offence: v.literal('two-joins'),
    member: did,
    /** The complete NEED envelope. */
    need: anyBytes,
    /** A NEED may come to its group in a later epoch than its first. */
    epoch: uint,
    joins: pairOf(join)
  }),
  /** A requester signed two FORMs for one (need, epoch). */
  v.strictObject({
    format,
    offence: v.literal('two-forms'),
    /** Two complete FORM envelopes. */
    forms: pairOf(anyBytes)
  }),
  /** Two certificates over different digests of one stage of one (slot, epoch): whoever signed both voted twice. */
  v.strictObject({
    format,
    offence: v.literal('two-certificates'),
    /** The complete NEED envelope. */
    need: anyBytes,
    certificates: pairOf(certificateSchema as v.GenericSchema<unknown, Certificate>)
  }),
  /** A member left an epoch, and voted in it for what its SEAL does not show. */
  v.strictObject({
    format,
    offence: v.literal('sealed-vote'),
    member: did,
    stage: v.picklist(['decide', 'outcome']),
    vote,
    seal
  }),
  /** A member left one epoch of a NEED with two different SEALs. */
  v.strictObject({
    format,
    offence: v.literal('two-seals'),
    member: did,
    /** The complete NEED envelope. */
    need: anyBytes,
    epoch: uint,
    seals: pairOf(seal)
  }),
  /** A member's SEAL names another PROPOSE than the decision whose digest it shows: it would make the next epoch carry that. */
  v.strictObject({
    format,
    offence: v.literal('false-seal'),
    member: did,
    decision: decisionSchema as v.GenericSchema<unknown, Decision>,
    seal
  }),
  /** A requester's later FORM rests on seals of another group than its FORM of that epoch made. */
  v.strictObject({
    format,
    offence: v.literal('broken-chain'),
    /** Two complete FORM envelopes: the earlier epoch's, and one whose seals name that epoch. */
    earlier: anyBytes,
    later: anyBytes
  }),
  /** Two UPDATE_PLANs of one sender at one place of its chain: replicas that see one each would never agree on a plan. */
  v.strictObject({
    format,
    offence: v.literal('plan-fork'),
    /** The complete NEED envelope. */
    need: anyBytes,
    /** Two complete UPDATE_PLAN envelopes. */
    updates: pairOf(anyBytes)
  })
])

/**
 * Two signed statements that no honest key makes both, with everything that is needed to see it. In a pair the one with the
 * smaller bytes comes first, so that one offence has one form.
 */
export type Evidence = v.InferOutput<typeof evidence>
export type Offence = Evidence['offence']
export type EvidenceOf<O extends Offence> = Extract<Evidence, { readonly offence: O }>

/** Canonical bytes of an evidence object, its pair in order. */
export function encodeEvidence(value: Evidence): Uint8Array {
  return encode(inOrder(value))
}

/** Content address of an evidence object, as text. */
export function evidenceId(encoded: Uint8Array): string {
  return cidOf(encoded).toString()
}

/** An evidence object from a stranger's bytes: size, canonical form, shape, order of its pair. Says nothing about its truth. */
export function decodeEvidence(encoded: Uint8Array): Result<Evidence> {
  if (encoded.length > EVIDENCE_BYTES_MAX)
    return refuse('PROOF_TOO_LARGE', `evidence has at most ${EVIDENCE_BYTES_MAX} bytes`)
  const decoded = decodeStrict(encoded)
  if (!decoded.ok) return decoded
  const named = (decoded.value as { format?: unknown } | null)?.format
  if (named !== EVIDENCE_FORMAT) return otherFormat(decoded.value, EVIDENCE_FORMAT)
  const parsed = v.safeParse(evidence, decoded.value, { abortEarly: true })
  if (!parsed.success)
    return refuse('PROOF_SHAPE', `the evidence is malformed: ${v.summarize(parsed.issues)}`)
  if (!equals(encodeEvidence(parsed.output), encoded))
    return refuse('PROOF_SHAPE', 'the two statements of the evidence are not in their order')
  return ok(parsed.output)
}

function inOrder(value: Evidence): Evidence {
  switch (value.offence) {
    case 'two-votes':
      return { ...value, votes: sorted(value.votes) }
    case 'two-joins':
      return { ...value, joins: sorted(value.joins) }
    case 'two-forms':
      return { ...value, forms: sorted(value.forms) }
    case 'two-certificates':
      return { ...value, certificates: sorted(value.certificates) }
    case 'two-seals':
      return { ...value, seals: sorted(value.seals) }
    case 'plan-fork':
      return { ...value, updates: sorted(value.updates) }
    default:
      return value
  }
}

function sorted<T>([first, second]: readonly [T, T]): [T, T] {
  return compareBytes(encode(first), encode(second)) <= 0 ? [first, second] : [second, first]
}
