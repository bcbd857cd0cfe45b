import { parseNote } from '../core/checkpoint/index.ts'
import type { Exchange } from '../ports/index.ts'
import { BadAnswerError } from './errors.ts'
import { NOTE_PAGES_MAX, NOTES_PER_ANSWER_MAX } from './limits.ts'
import {
  type Answer,
  type AnswerTo,
  decodeAnswer,
  encodeQuestion,
  type Question
} from './messages.ts'

/** Asks one peer; rejects with PEER_UNREACHABLE, or with BadAnswerError when the answer is not one to this question. */
export async function askPeer<Q extends Question>(
  exchange: Exchange,
  did: string,
  question: Q,
  signal?: AbortSignal
): Promise<AnswerTo<Q['type']>> {
  const answer = decodeAnswer(await exchange.ask(did, encodeQuestion(question), signal))
  if (!answer.ok) throw new BadAnswerError(did, answer.refusal.message)
  if (!isTo(question, answer.value))
    throw new BadAnswerError(did, `"${answer.value.type}" does not answer "${question.type}"`)
  return answer.value as AnswerTo<Q['type']>
}

/** The notes that a peer holds, of one log or of all, page by page. Rejects as `askPeer`. */
export async function* notesOf(
  exchange: Exchange,
  did: string,
  origin: string | null
): AsyncGenerator<readonly Uint8Array[]> {
  let after: string | undefined
  for (let page = 0; page < NOTE_PAGES_MAX; page++) {
    const from = after === undefined ? {} : { after }
    const { notes } = await askPeer(exchange, did, { type: 'notes', origin, ...from })
    yield notes
    const last = notes.at(-1)
    if (origin !== null || last === undefined || notes.length < NOTES_PER_ANSWER_MAX) return
    const note = parseNote(last)
    if (!note.ok) return
    after = note.value.text.slice(0, note.value.text.indexOf('\n'))
  }
}

function isTo(question: Question, answer: Answer): boolean {
  if (question.type === 'cosign') return answer.type === 'cosigned' || answer.type === 'declined'
  return answer.type === question.type
}
