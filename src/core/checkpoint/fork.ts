import * as v from 'valibot'
import { equals, ok, type Result, refuse } from '../base/index.ts'
import { decodeStrict, encode } from '../codec/index.ts'
import { verifyConsistency } from '../merkle/index.ts'
import { NOTE_BYTES_MAX, parseNote } from './note.ts'
import { type CheckedNote, checkNote } from './signatures.ts'

/** Names the shape and its version; a reader refuses any other. */
export const FORK_FORMAT = 'can-swarm/checkpoint-fork/v1'
/** Bytes of one fork: two notes, a proof, and their frame. */
export const FORK_BYTES_MAX: number = 2 * NOTE_BYTES_MAX + 4096

const bytes = v.instance(Uint8Array) as v.GenericSchema<unknown, Uint8Array>
const hash32 = v.pipe(
  bytes,
  v.check(value => value.length === 32)
)
const fork = v.strictObject({
  format: v.literal(FORK_FORMAT),
  /** Two checkpoints of one origin, the smaller first. */
  older: bytes,
  newer: bytes,
  /** Null where both have one size. Otherwise the root that the newer tree had at the size of the older one, and the proof that it had it. */
  prefix: v.nullable(
    v.strictObject({ root: hash32, proof: v.pipe(v.array(hash32), v.maxLength(65)) })
  )
})

/** Two signed checkpoints of one origin of which neither tree can begin with the other: the log was rewritten. */
export type CheckpointFork = Omit<v.InferOutput<typeof fork>, 'format'>

export function encodeFork(value: CheckpointFork): Uint8Array {
  return encode({ format: FORK_FORMAT, ...value })
}

/** A fork from a stranger's bytes: size, canonical form, shape. Says nothing about its truth. */
export function decodeFork(encoded: Uint8Array): Result<CheckpointFork> {
  if (encoded.length > FORK_BYTES_MAX)
    return refuse('PROOF_TOO_LARGE', `a fork has at most ${FORK_BYTES_MAX} bytes`)
  const decoded = decodeStrict(encoded)
  if (!decoded.ok) return decoded
  const parsed = v.safeParse(fork, decoded.value, { abortEarly: true })
  if (!parsed.success)
    return refuse('PROOF_SHAPE', `the fork is malformed: ${v.summarize(parsed.issues)}`)
  const { older, newer, prefix } = parsed.output
  return ok({ older, newer, prefix })
}

/**
 * Judges a fork by its own bytes alone: both notes are signed by one origin, and either they have one size and two roots, or the newer
 * tree provably had another root at the older one's size. Returns the DID that is convicted and the size in question.
 */
export function checkFork(
  { older, newer, prefix }: CheckpointFork,
  verify: Parameters<typeof checkNote>[1]
): Result<{ did: string; origin: string; size: bigint }> {
  const first = signed(older, verify)
  if (!first.ok) return first
  const second = signed(newer, verify)
  if (!second.ok) return second
  const { origin, size, root } = first.value.checkpoint
  const other = second.value.checkpoint
  if (origin !== other.origin) return refuse('PROOF_UNRELATED', 'the checkpoints are of two logs')
  if (prefix === null && size !== other.size)
    return refuse(
      'PROOF_UNRELATED',
      'checkpoints of two sizes contradict each other only with a proof'
    )
  const rewritten = prefix?.root ?? other.root
  if (equals(root, rewritten)) return refuse('PROOF_AGREES', 'the checkpoints agree')
  if (prefix !== null) {
    const { proof } = prefix
    const claim = { oldSize: size, oldRoot: rewritten, newSize: other.size, newRoot: other.root }
    const shown = verifyConsistency({ ...claim, proof })
    if (!shown.ok) return shown
  }
  return ok({ did: first.value.did, origin, size })
}

function signed(note: Uint8Array, verify: Parameters<typeof checkNote>[1]): Result<CheckedNote> {
  const parsed = parseNote(note)
  return parsed.ok ? checkNote(parsed.value, verify) : parsed
}
