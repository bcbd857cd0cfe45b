import { isDeepStrictEqual } from 'node:util'
import { assert } from '../../core/base/index.ts'
import { type PolicyDecision, type PolicyInput, policyText } from '../../core/policy/index.ts'
import type { Capsule } from './capsule.ts'
import { CapsuleRefusedError } from './errors.ts'
import { EvaluatorPool, type EvaluatorPoolInit } from './evaluator-pool.ts'
import {
  BATCH_QUESTIONS_MAX,
  GUESTS_MAX,
  LOAD_MS_MAX,
  PENDING_OF_GUEST_MAX,
  REFUSED_MAX
} from './limits.ts'
import { flawText, sourceOf, vectorFailed } from './load.ts'
import type { CapsuleSource } from './protocol.ts'

export type GuestCapsulesInit = Pick<EvaluatorPoolInit, 'workerUrl' | 'onAlarm'>

/**
 * Capsules of strangers, in a thread of their own: what one of them costs, by gas or by crashing the thread, no message at the door waits
 * for. The thread is started by the first of them.
 */
export class GuestCapsules {
  /** Least recently asked first. */
  readonly #ready = new Map<string, CapsuleSource>()
  readonly #refused = new Map<string, CapsuleRefusedError>()
  readonly #loading = new Map<string, Promise<void>>()
  readonly #pool: EvaluatorPool
  /** The last capsule that waits to be opened. */
  #opening: Promise<unknown> = Promise.resolve()

  constructor({ workerUrl, onAlarm }: GuestCapsulesInit) {
    this.#pool = new EvaluatorPool({
      workerUrl,
      threads: 1,
      sources: [],
      ofCapsuleMax: PENDING_OF_GUEST_MAX,
      timeoutMs: LOAD_MS_MAX,
      onAlarm
    })
  }

  holds(cid: string): boolean {
    return this.#ready.has(cid)
  }

  /** Rejects with CapsuleRefusedError. The same capsule is loaded once, however many ask. */
  load(capsule: Capsule): Promise<void> {
    const { cid } = capsule
    const refused = this.#refused.get(cid)
    if (refused !== undefined) return Promise.reject(refused)
    if (this.#ready.has(cid)) return Promise.resolve()
    const running = this.#loading.get(cid)
    if (running !== undefined) return running
    const loading = this.#load(capsule).finally(() => this.#loading.delete(cid))
    this.#loading.set(cid, loading)
    return loading
  }

  evaluate(cid: string, input: PolicyInput): Promise<PolicyDecision> {
    const source = this.#ready.get(cid)
    assert(source !== undefined, 'the engine asks guests that are ready only')
    this.#ready.delete(cid)
    this.#ready.set(cid, source)
    return this.#pool.judge(source, policyText(input))
  }

  async close(why: string): Promise<void> {
    this.#ready.clear()
    await this.#pool.close(why)
  }

  async #load(capsule: Capsule): Promise<void> {
    const { cid } = capsule
    const source = sourceOf(capsule)
    const flaw = (await this.#openInTurn(source)) ?? (await this.#flawOfVectors(capsule, source))
    if (flaw !== null) throw this.#refuse(cid, flaw)
    this.#ready.set(cid, source)
    const [oldest = cid] = this.#ready.keys()
    if (this.#ready.size > GUESTS_MAX) this.#ready.delete(oldest)
  }

  /** One after the other, so that no question waits for more than one of them. */
  #openInTurn(source: CapsuleSource): Promise<string | null> {
    const opening = this.#opening.then(() => this.#pool.check({ source, vectors: [] }))
    this.#opening = opening.catch(() => undefined)
    return opening
  }

  /** Vectors wait in line like every question: they may cost more than all that is asked later. */
  async #flawOfVectors({ vectors }: Capsule, source: CapsuleSource): Promise<string | null> {
    for (let at = 0; at < vectors.length; at += BATCH_QUESTIONS_MAX) {
      const some = vectors.slice(at, at + BATCH_QUESTIONS_MAX)
      const judged = some.map(({ input }) => this.#pool.judge(source, policyText(input)))
      const decisions = await Promise.all(judged)
      const failing = some.find(({ decision }, i) => !isDeepStrictEqual(decisions[i], decision))
      if (failing !== undefined) return flawText(vectorFailed(failing.name))
    }
    return null
  }

  #refuse(cid: string, flaw: string): CapsuleRefusedError {
    const error = new CapsuleRefusedError(cid, flaw)
    this.#refused.set(cid, error)
    const [oldest = cid] = this.#refused.keys()
    if (this.#refused.size > REFUSED_MAX) this.#refused.delete(oldest)
    return error
  }
}
