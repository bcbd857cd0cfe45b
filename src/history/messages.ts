import * as v from 'valibot'
import { ok, type Result, refuse } from '../core/base/index.ts'
import { NOTE_BYTES_MAX } from '../core/checkpoint/index.ts'
import { decodeStrict, encode } from '../core/codec/index.ts'
import { LEAF_BYTES_MAX } from '../core/history/index.ts'
import { PROOF_HASHES_MAX } from '../core/merkle/index.ts'
import { CERTIFICATE_FILE_BYTES_MAX } from '../core/roster/index.ts'
import { LEAVES_PER_ANSWER_MAX, NOTES_PER_ANSWER_MAX, PEAKS_MAX } from './limits.ts'

const uint = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const origin = v.pipe(v.string(), v.maxLength(256))
const bytesUpTo = (max: number): v.GenericSchema<unknown, Uint8Array> =>
  v.pipe(
    v.custom<Uint8Array>(value => value instanceof Uint8Array, 'must be bytes'),
    v.check(value => value.length <= max, `must be at most ${max} bytes`)
  )
const note = bytesUpTo(NOTE_BYTES_MAX)

const question = v.variant('type', [
  /** The newest checkpoints that you hold: your own first, then those that you witnessed, by origin. `after`: of those only the ones after this origin. */
  v.strictObject({
    type: v.literal('notes'),
    origin: v.nullable(origin),
    after: v.optional(origin)
  }),
  /** Leaves of a log from one on; with the certificates that they come from, where they are to be checked. */
  v.strictObject({ type: v.literal('leaves'), origin, from: uint, certified: v.boolean() }),
  /** What it takes to go on from so many leaves of a log. */
  v.strictObject({ type: v.literal('peaks'), origin, size: uint }),
  /** The proof that your tree of `size` leaves begins with that of the first `from`. */
  v.strictObject({ type: v.literal('consistency'), origin, from: uint, size: uint }),
  /** Witness this checkpoint of mine. */
  v.strictObject({ type: v.literal('cosign'), note })
])

const answer = v.variant('type', [
  v.strictObject({
    type: v.literal('notes'),
    notes: v.pipe(v.array(note), v.maxLength(NOTES_PER_ANSWER_MAX))
  }),
  v.strictObject({
    type: v.literal('leaves'),
    leaves: v.pipe(
      v.array(
        v.strictObject({
          leaf: bytesUpTo(LEAF_BYTES_MAX),
          certificate: v.nullable(bytesUpTo(CERTIFICATE_FILE_BYTES_MAX))
        })
      ),
      v.maxLength(LEAVES_PER_ANSWER_MAX)
    )
  }),
  /** None where the asked node has not so many leaves. */
  v.strictObject({
    type: v.literal('peaks'),
    peaks: v.nullable(v.pipe(v.array(bytesUpTo(32)), v.maxLength(PEAKS_MAX)))
  }),
  /** None where the asked node has not so many leaves. */
  v.strictObject({
    type: v.literal('consistency'),
    proof: v.nullable(v.pipe(v.array(bytesUpTo(32)), v.maxLength(PROOF_HASHES_MAX)))
  }),
  /** The checkpoint with the witness's own signature and no other. */
  v.strictObject({ type: v.literal('cosigned'), note }),
  v.strictObject({
    type: v.literal('declined'),
    code: v.pipe(v.string(), v.maxLength(64)),
    message: v.pipe(v.string(), v.maxLength(1024)),
    /** Leaves of the asker's log that the witness holds. */
    held: uint
  })
])

/** What nodes ask each other about their logs of ended threads. */
export type Question = v.InferOutput<typeof question>
export type Answer = v.InferOutput<typeof answer>
export type AnswerTo<Q extends Question['type']> = Extract<
  Answer,
  { readonly type: Q extends 'cosign' ? 'cosigned' | 'declined' : Q }
>
export type CertifiedLeaf = { readonly leaf: Uint8Array; readonly certificate: Uint8Array | null }

export function encodeQuestion(value: Question): Uint8Array {
  return encode(value)
}

export function encodeAnswer(value: Answer): Uint8Array {
  return encode(value)
}

export function decodeQuestion(bytes: Uint8Array): Result<Question> {
  return decodeAs(question, bytes)
}

export function decodeAnswer(bytes: Uint8Array): Result<Answer> {
  return decodeAs(answer, bytes)
}

function decodeAs<T>(schema: v.GenericSchema<unknown, T>, bytes: Uint8Array): Result<T> {
  const decoded = decodeStrict(bytes)
  if (!decoded.ok) return decoded
  const parsed = v.safeParse(schema, decoded.value, { abortEarly: true })
  return parsed.success
    ? ok(parsed.output)
    : refuse('HISTORY_SHAPE', `a question or answer is malformed: ${v.summarize(parsed.issues)}`)
}
