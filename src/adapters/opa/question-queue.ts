import { assert } from '../../core/base/index.ts'
import type { PolicyDecision } from '../../core/policy/index.ts'
import { BATCH_CHARACTERS_MAX, BATCH_QUESTIONS_MAX, LINES_MAX, PENDING_MAX } from './limits.ts'
import type { CapsuleSource } from './protocol.ts'

/** A question that waits, and who waits for it. */
export type Question = {
  readonly source: CapsuleSource
  /** JSON text; null when it nests too deeply for any policy. */
  readonly input: string | null
  readonly resolve: (decision: PolicyDecision) => void
  readonly reject: (error: Error) => void
}

/** The questions to one capsule. */
type Line = {
  /** Oldest first, from `head` on. */
  questions: (Question | undefined)[]
  head: number
  /** ms of a thread that it has had, and what it was behind the others when it came back. The least is next. */
  had: number
}

/**
 * Questions that wait for a thread: a line for each capsule, each line in order. The capsule that has had the least of the threads is next, so that one
 * whose questions burn all their gas delays each question of the others by one of its own and no more. A capsule that asked nothing for a while saves
 * nothing up.
 */
export class QuestionQueue {
  /** Least recently asked first. */
  readonly #lines = new Map<string, Line>()
  readonly #ofCapsuleMax: number
  #size = 0
  /** What the line that was served last had had. */
  #served = 0

  /** `ofCapsuleMax`: questions of one capsule that wait at most. */
  constructor(ofCapsuleMax: number) {
    this.#ofCapsuleMax = ofCapsuleMax
  }

  get size(): number {
    return this.#size
  }

  /** Puts a question last in its line. Answers false when there is no room: for it, or for its capsule. */
  push(question: Question): boolean {
    if (this.#size >= PENDING_MAX) return false
    const line = this.#lineOf(question.source.capsule)
    if (waitingIn(line) >= this.#ofCapsuleMax) return false
    if (waitingIn(line) === 0) line.had = Math.max(line.had, this.#served)
    line.questions.push(question)
    this.#size++
    return true
  }

  /** Puts questions of one batch back in front, as they were. */
  putBack(batch: readonly Question[]): void {
    const [first] = batch
    if (first === undefined) return
    const line = this.#lineOf(first.source.capsule)
    line.questions = [...batch, ...line.questions.slice(line.head)]
    line.head = 0
    this.#size += batch.length
  }

  /** The question that waits alone; undefined when none waits, or several. */
  lone(): Question | undefined {
    const line = this.#size === 1 ? this.#next() : undefined
    return line?.questions[line.head]
  }

  /** The oldest questions of the capsule that is next, not too many and not too long together. Call when one waits. */
  take(): Question[] {
    const line = this.#next()
    assert(line !== undefined, 'questions are taken where some wait')
    this.#served = line.had
    const batch: Question[] = []
    let characters = 0
    for (;;) {
      const next = line.questions[line.head]
      if (next === undefined) break
      characters += next.input?.length ?? 0
      if (batch.length > 0 && characters > BATCH_CHARACTERS_MAX) break
      batch.push(next)
      line.questions[line.head++] = undefined
      if (batch.length === BATCH_QUESTIONS_MAX) break
    }
    if (line.head > 1024 || waitingIn(line) === 0) {
      line.questions = line.questions.slice(line.head)
      line.head = 0
    }
    this.#size -= batch.length
    return batch
  }

  /** A thread was busy with a capsule for so many ms. */
  charge(capsule: string, ms: number): void {
    const line = this.#lines.get(capsule)
    if (line !== undefined) line.had += ms
  }

  /** Takes out all. */
  clear(): Question[] {
    const all = [...this.#lines.values()].flatMap(line => line.questions.slice(line.head))
    this.#lines.clear()
    this.#size = 0
    return all.filter(question => question !== undefined)
  }

  #next(): Line | undefined {
    let next: Line | undefined
    for (const line of this.#lines.values())
      if (waitingIn(line) > 0 && (next === undefined || line.had < next.had)) next = line
    return next
  }

  #lineOf(capsule: string): Line {
    const line = this.#lines.get(capsule) ?? { questions: [], head: 0, had: this.#served }
    if (this.#lines.size > 1) this.#lines.delete(capsule)
    this.#lines.set(capsule, line)
    if (this.#lines.size > LINES_MAX) this.#forgetOne(line)
    return line
  }

  /** The one that was asked longest ago and waits for nothing, but for the one that is being asked. */
  #forgetOne(asked: Line): void {
    for (const [capsule, line] of this.#lines)
      if (line !== asked && waitingIn(line) === 0) return void this.#lines.delete(capsule)
  }
}

function waitingIn({ questions, head }: Line): number {
  return questions.length - head
}
