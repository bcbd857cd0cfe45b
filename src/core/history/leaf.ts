import * as v from 'valibot'
import { EPOCHS_MAX, ok, type Result, refuse } from '../base/index.ts'
import { decodeStrict, encode } from '../codec/index.ts'
import {
  type Admitted,
  cid,
  did,
  hash32,
  name,
  parseEnvelope,
  text,
  uint
} from '../envelope/index.ts'
import { checkNeed } from '../need/index.ts'
import {
  type CertificateFile,
  checkCertificateFile,
  outcomeDigest,
  type Verify
} from '../roster/index.ts'

/** Names the shape and its version; a reader refuses any other. */
const LEAF_FORMAT = 'can-swarm/leaf/v1'
/** Bytes of one leaf: its texts are those of a NEED and an outcome, each of which is far below an envelope. */
export const LEAF_BYTES_MAX: number = 16 * 1024

/**
 * Latest time in a leaf, ms since 1970: the last of the year 9999, as far as dates of RFC 3339 go. So the moment until which a tombstone stands, somewhat
 * later, is a whole number that a journal can hold, in six bytes.
 */
export const LEAF_TIME_MS_MAX = 253_402_300_799_999

const time = v.pipe(uint, v.maxValue(LEAF_TIME_MS_MAX))
const leaf = v.strictObject({
  format: v.literal(LEAF_FORMAT),
  /** The thread. */
  need: cid,
  requester: did,
  slot: text,
  task: name,
  /** The epoch that ended it: a NEED begins with the first. */
  epoch: v.pipe(uint, v.maxValue(EPOCHS_MAX - 1)),
  result: v.picklist(['FINAL', 'INVALID', 'EXPIRED']),
  reason: text,
  /** The decided PROPOSE, or null. */
  proposal: v.nullable(cid),
  /** Digest of the outcome: what the group's members signed. */
  outcome: hash32,
  /** Of the NEED: until then, and an envelope's life more, its slot stays closed. */
  expiresAt: time,
  notAfter: time,
  /** Log time of the end, ms since 1970. */
  stamp: time
})

/** How one thread ended: what a newcomer has to know of it. */
export type Leaf = Omit<v.InferOutput<typeof leaf>, 'format'>

/**
 * The leaf of a thread, out of its NEED and its certified outcome, all of which is checked. Refusals: those of the certificate; those of `checkNeed`, since no node
 * follows such a NEED; `LEAF_OPEN` for a decision; `LEAF_SHAPE` for what no leaf says, such as a time after the latest.
 */
export function leafOf(file: CertificateFile, verify: Verify): Result<Leaf> {
  const claim = checkCertificateFile(file, verify)
  if (!claim.ok) return claim
  const { outcome, requester, slot, epoch } = claim.value
  if (outcome === null)
    return refuse('LEAF_OPEN', 'only a certified outcome ends a thread: this is a decision')
  const need = parseEnvelope(file.need)
  if (!need.ok) return need
  const { envelope, cid: thread } = need.value as Admitted<'NEED'>
  const followed = checkNeed(envelope)
  if (!followed.ok) return followed
  const { task, expiresAt } = envelope.payload
  const { result, reason, proposal, stamp } = outcome
  return shaped({
    format: LEAF_FORMAT,
    need: thread,
    requester,
    slot,
    task,
    epoch,
    result,
    reason,
    proposal,
    outcome: outcomeDigest(outcome),
    expiresAt,
    notAfter: envelope.notAfter,
    stamp
  })
}

/** Canonical bytes of a leaf: what the tree hashes. */
export function encodeLeaf(value: Leaf): Uint8Array {
  return encode({ format: LEAF_FORMAT, ...value })
}

/** A leaf from a stranger's bytes: size, canonical form, shape. Says nothing about its truth. */
export function decodeLeaf(encoded: Uint8Array): Result<Leaf> {
  if (encoded.length > LEAF_BYTES_MAX)
    return refuse('LEAF_SHAPE', `a leaf has at most ${LEAF_BYTES_MAX} bytes`)
  const decoded = decodeStrict(encoded)
  if (!decoded.ok) return decoded
  return shaped(decoded.value)
}

function shaped(value: unknown): Result<Leaf> {
  const parsed = v.safeParse(leaf, value, { abortEarly: true })
  if (!parsed.success)
    return refuse('LEAF_SHAPE', `the leaf is malformed: ${v.summarize(parsed.issues)}`)
  const { format: _, ...fields } = parsed.output
  return ok(fields)
}
