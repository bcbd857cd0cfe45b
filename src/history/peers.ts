import type { Exchange } from '../ports/index.ts'
import { BadAnswerError } from './errors.ts'
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

function isTo(question: Question, answer: Answer): boolean {
  if (question.type === 'cosign') return answer.type === 'cosigned' || answer.type === 'declined'
  return answer.type === question.type
}
