import { assert, type Result } from '../core/base/index.ts'

/** Commands that wait for the machine's reply: exactly one for each. */
export class CommandDesk {
  readonly #open = new Map<number, (result: Result<unknown>) => void>()
  #next = 1

  /** A new command's id, and the promise of its answer. */
  open(): { readonly id: number; readonly answer: Promise<Result<unknown>> } {
    const id = this.#next++
    return { id, answer: new Promise(resolve => this.#open.set(id, resolve)) }
  }

  reply(id: number, result: Result<unknown>): void {
    const resolve = this.#open.get(id)
    assert(resolve !== undefined, 'a command is answered exactly once')
    this.#open.delete(id)
    resolve(result)
  }

  /** Answers all that are open. */
  replyAll(result: Result<unknown>): void {
    for (const id of [...this.#open.keys()]) this.reply(id, result)
  }
}
