import { assert } from '../../core/base/index.ts'
import { type PolicyDecision, type PolicyInput, policyText } from '../../core/policy/index.ts'
import type { Logger } from '../../ports/index.ts'
import type { Capsule } from './capsule.ts'
import { CapsuleRefusedError, PolicyTimeoutError, PolicyUnavailableError } from './errors.ts'
import { GUESTS_MAX, LOAD_MS_MAX, PENDING_MAX, REFUSED_MAX } from './limits.ts'
import { loadRequest } from './load.ts'
import { WorkerLink } from './worker-link.ts'

export type GuestCapsulesInit = { readonly workerUrl: URL; readonly logger: Logger }

/**
 * Capsules of strangers, in a thread of their own: what one of them costs, by gas or by crashing the thread, no message at the door waits
 * for. The thread is started by the first of them.
 */
export class GuestCapsules {
  /** Least recently asked first. */
  readonly #ready = new Map<string, Capsule>()
  readonly #refused = new Map<string, CapsuleRefusedError>()
  readonly #loading = new Map<string, Promise<void>>()
  readonly #link: WorkerLink

  constructor({ workerUrl, logger }: GuestCapsulesInit) {
    this.#link = new WorkerLink({
      workerUrl,
      preload: () => [...this.#ready.values()].map(loadRequest),
      timeoutMs: LOAD_MS_MAX,
      timeoutError: ({ capsule }) => new PolicyTimeoutError(capsule, LOAD_MS_MAX),
      unavailable: why => new PolicyUnavailableError(why),
      onRestart: why => logger.warn('the worker of fetched policies is restarted', { why })
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

  async evaluate(cid: string, input: PolicyInput): Promise<PolicyDecision> {
    if (this.#link.waiting >= PENDING_MAX)
      throw new PolicyUnavailableError('too many evaluations wait')
    this.#touch(cid)
    const answer = await this.#link.ask({
      kind: 'evaluate',
      capsule: cid,
      input: policyText(input)
    })
    assert(answer.kind === 'decided', 'an evaluation is answered by a decision')
    return { allow: answer.allow, reasons: answer.reasons, gas: answer.gas }
  }

  async close(why: string): Promise<void> {
    this.#ready.clear()
    await this.#link.close(why)
  }

  async #load(capsule: Capsule): Promise<void> {
    const { cid } = capsule
    const answer = await this.#link.ask(loadRequest(capsule))
    assert(answer.kind === 'loaded', 'a load is answered by its outcome')
    if (answer.flaw !== null) throw this.#refuse(cid, answer.flaw)
    this.#ready.set(cid, capsule)
    const [oldest = cid] = this.#ready.keys()
    if (this.#ready.size <= GUESTS_MAX) return
    this.#ready.delete(oldest)
    // A thread that has ended meanwhile has forgotten it already.
    this.#link.ask({ kind: 'unload', capsule: oldest }).catch(() => undefined)
  }

  #refuse(cid: string, flaw: string): CapsuleRefusedError {
    const error = new CapsuleRefusedError(cid, flaw)
    this.#refused.set(cid, error)
    const [oldest = cid] = this.#refused.keys()
    if (this.#refused.size > REFUSED_MAX) this.#refused.delete(oldest)
    return error
  }

  #touch(cid: string): void {
    const capsule = this.#ready.get(cid)
    assert(capsule !== undefined, 'the engine asks guests that are ready only')
    this.#ready.delete(cid)
    this.#ready.set(cid, capsule)
  }
}
