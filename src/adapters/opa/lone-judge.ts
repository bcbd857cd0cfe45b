import type { PolicyDecision } from '../../core/policy/index.ts'
import { decideWithin } from './decide.ts'
import { LONE_CHARACTERS_MAX, LONE_TURN_MS } from './limits.ts'
import { openSource } from './load.ts'
import type { CapsuleSource } from './protocol.ts'
import type { Sandbox } from './sandbox.ts'

/**
 * Judges a question in the thread that asks. The way to another thread and back costs this one more processor time than most evaluations take, and whoever
 * waits a thread's wake-up besides. Only for capsules that ship with the program, only as long as little gas lasts, and only for a moment in each turn
 * of the event loop: what is dearer has an answer from the pool. An answer given here is the one that the pool would give.
 */
export class LoneJudge {
  readonly #gas: number
  readonly #sandboxes = new Map<string, Sandbox>()
  /** ms that this turn of the event loop has gone to questions. */
  #spentMs = 0

  /** `gas`: what one question may cost here; 0 leaves all to the pool. */
  constructor(gas: number) {
    this.#gas = gas
  }

  /** A thread has accepted the capsule. `input`: one of its questions; the first one judged takes some ms, and nobody should wait for that. */
  open(source: CapsuleSource, input: string | null): void {
    if (this.#gas === 0) return
    const opened = openSource(source)
    if (!opened.ok) return
    this.#sandboxes.set(source.capsule, opened.value)
    this.#judgeIn(opened.value, input)
  }

  close(): void {
    this.#sandboxes.clear()
  }

  /** Null: it is for the pool to say. */
  judge(capsule: string, input: string | null): PolicyDecision | null {
    const sandbox = this.#sandboxes.get(capsule)
    if (sandbox === undefined || input === null) return null
    if (input.length > LONE_CHARACTERS_MAX || this.#spentMs > LONE_TURN_MS) return null
    if (this.#spentMs === 0) setImmediate(() => this.#turn())
    const began = performance.now()
    const decision = this.#judgeIn(sandbox, input)
    this.#spentMs += performance.now() - began
    return decision
  }

  #turn(): void {
    this.#spentMs = 0
  }

  #judgeIn(sandbox: Sandbox, input: string | null): PolicyDecision | null {
    try {
      return decideWithin(sandbox, input, this.#gas)
    } catch {
      // A fault of this thread, such as no memory: another one may do better.
      return null
    }
  }
}
