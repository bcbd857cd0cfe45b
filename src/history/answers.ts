import { formatNote } from '../core/checkpoint/index.ts'
import { BadAnswerError } from './errors.ts'
import { NOTES_PER_ANSWER_MAX } from './limits.ts'
import { type Answer, decodeQuestion, encodeAnswer, type Question } from './messages.ts'
import type { OwnLog } from './own-log.ts'
import type { Witness } from './witness.ts'
import type { WitnessedLogs } from './witnessed-logs.ts'

export type AnswersInit = {
  readonly origin: string
  readonly own: OwnLog
  readonly witnessed: WitnessedLogs
  /** Null where this node does not witness. */
  readonly witness: Witness | null
}

/** Answers what peers ask about logs of ended threads. Rejects a question that is none. `signal`: nobody waits for the answer any more. */
export async function answerPeer(
  init: AnswersInit,
  from: string,
  bytes: Uint8Array,
  signal: AbortSignal
): Promise<Uint8Array> {
  const question = decodeQuestion(bytes)
  if (!question.ok) throw new BadAnswerError(from, question.refusal.message)
  return encodeAnswer(await answer(init, from, question.value, signal))
}

async function answer(
  init: AnswersInit,
  from: string,
  question: Question,
  signal: AbortSignal
): Promise<Answer> {
  switch (question.type) {
    case 'notes':
      return { type: 'notes', notes: await notesOf(init, question) }
    case 'leaves': {
      const { origin, from: first, certified } = question
      const leaves =
        origin === init.origin
          ? await init.own.leaves(first, certified)
          : await init.witnessed.leaves(origin, first)
      return { type: 'leaves', leaves }
    }
    case 'peaks': {
      const { origin, size } = question
      const isOwn = origin === init.origin
      const peaks = isOwn ? init.own.peaks(size) : await init.witnessed.peaks(origin, size)
      return { type: 'peaks', peaks }
    }
    case 'consistency': {
      const { origin, from: first, size } = question
      const isOwn = origin === init.origin
      const proof = isOwn
        ? init.own.consistency(first, size)
        : await init.witnessed.consistency(origin, first, size)
      return { type: 'consistency', proof }
    }
    case 'cosign':
      if (init.witness !== null) return init.witness.cosign(from, question.note, signal)
      return {
        type: 'declined',
        code: 'WITNESS_OFF',
        message: 'this node does not witness',
        held: 0
      }
  }
}

async function notesOf(
  init: AnswersInit,
  { origin, after }: Extract<Question, { type: 'notes' }>
): Promise<Uint8Array[]> {
  const { own, witnessed } = init
  if (after !== undefined) return witnessed.notes({ after, limit: NOTES_PER_ANSWER_MAX })
  // The newest may still wait for witnesses: the last that had them goes with it.
  const isStable = own.stable === null || own.stable.text === own.note?.text
  const first = [own.note, isStable ? null : own.stable].flatMap(note =>
    note === null ? [] : [formatNote(note)]
  )
  if (origin === init.origin) return first
  if (origin !== null) {
    // Also where the log was let go of: its node must learn that it has signed so much.
    const note = (await witnessed.note(origin)) ?? (await witnessed.past(origin))
    return note === null ? [] : [formatNote(note)]
  }
  return [...first, ...(await witnessed.notes({ limit: NOTES_PER_ANSWER_MAX - first.length }))]
}
