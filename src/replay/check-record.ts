import type { PolicyEngine, VerifySignature } from '../ports/index.ts'
import { itemOf, type Line } from './format.ts'
import { type ReadProgress, readRecord } from './read-record.ts'
import { type Findings, Replayer } from './replayer.ts'

/** `line` counts from 0, as `seq` in the record does. */
export type Problem = { readonly line: number; readonly code: string; readonly message: string }

/** What was found in a record. `ok` only when there is no problem and, for a replay, the derived bytes are equal. */
export type Report = {
  readonly ok: boolean
  readonly path: string
  readonly thread: string | null
  /** DID of the node that wrote the record. */
  readonly node: string | null
  /** The node had the whole log up to the certified outcome. */
  readonly complete: boolean
  readonly lines: number
  readonly problems: readonly Problem[]
} & Findings

export type CheckInit = {
  readonly verify: VerifySignature
  readonly policy: PolicyEngine | null
  /** True to demand the end of the thread and equal bytes; false to check only what is there. */
  readonly replay: boolean
  readonly onProgress?: (progress: ReadProgress) => void
}

/** Reads a record, checks every line and folds it. Stops at the first thing that is wrong and says which line, what, and what was expected. */
export async function checkRecord(path: string, init: CheckInit): Promise<Report> {
  const reading = new Reading(init)
  for await (const line of readRecord(path, init.verify, init.onProgress)) {
    if (!line.ok) {
      reading.problem(line.refusal.code, line.refusal.message)
      break
    }
    if (!(await reading.take(line.value))) break
  }
  return reading.report(path)
}

class Reading {
  readonly #init: CheckInit
  readonly #problems: Problem[] = []
  #replayer: Replayer | null = null
  #thread: string | null = null
  #node: string | null = null
  #complete = false
  #lines = 0

  constructor(init: CheckInit) {
    this.#init = init
  }

  problem(code: string, message: string): void {
    this.#problems.push({ line: this.#lines, code, message })
  }

  /** False when the line is wrong and reading stops. */
  async take({ body }: Line): Promise<boolean> {
    if (body.type === 'header') {
      this.#thread = body.thread.toString()
      this.#node = body.node
      this.#replayer = new Replayer({
        thread: this.#thread,
        verify: this.#init.verify,
        policy: this.#init.policy
      })
    } else if (body.type === 'end') {
      this.#complete = body.complete
    }
    const item = itemOf(body)
    const taken =
      item.ok && item.value !== null && this.#replayer !== null
        ? await this.#replayer.take(item.value)
        : item
    if (!taken.ok) this.problem(taken.refusal.code, taken.refusal.message)
    this.#lines += 1
    return taken.ok
  }

  report(path: string): Report {
    const findings = this.#replayer?.findings ?? {
      events: 0,
      policies: 0,
      decide: null,
      outcome: null,
      finalizeBytesEqual: false
    }
    if (this.#init.replay && this.#problems.length === 0 && !findings.finalizeBytesEqual) {
      this.problem('REPLAY_INCOMPLETE', 'the record does not reach the certified end of its thread')
    }
    return {
      ok: this.#problems.length === 0,
      path,
      thread: this.#thread,
      node: this.#node,
      complete: this.#complete,
      lines: this.#lines,
      problems: this.#problems,
      ...findings
    }
  }
}
