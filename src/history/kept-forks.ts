import { type CheckpointFork, checkFork, decodeFork, encodeFork } from '../core/checkpoint/index.ts'
import { idOf } from '../core/codec/index.ts'
import type { KeyValues, VerifySignature } from '../ports/index.ts'
import { FORKS_UNKEPT_MAX } from './limits.ts'

const FORK = 'fork/'

export type KeptForksInit = {
  readonly store: KeyValues
  /** Forks that are kept of logs that this node never witnessed. */
  readonly max: number
  /** Whether this node witnesses a log, or has: a fork of it is kept in any case. */
  readonly isWitnessed: (origin: string) => Promise<boolean>
}

/**
 * Proofs that logs were rewritten, one for each origin. Anybody may make keys and forks of their logs without end: so of logs that were never witnessed here only so
 * many are kept, and of further ones it is known until the node ends.
 */
export class KeptForks {
  readonly #init: KeptForksInit
  /** Origins that the kept ones convict: each is checked once. */
  #convicted: Promise<Set<string>> | null = null
  /** Origins that were convicted when there was no place, the oldest first. */
  readonly #unkept = new Set<string>()

  constructor(init: KeptForksInit) {
    this.#init = init
  }

  /** Keeps a proof. False where that is proven already, since one convicts as well as any number; where it is none; or where there is no place. */
  async keep(origin: string, fork: CheckpointFork, verify: VerifySignature): Promise<boolean> {
    const { store, max, isWitnessed } = this.#init
    const checked = checkFork(fork, verify)
    if (!checked.ok || checked.value.origin !== origin) return false
    const isWanted = await isWitnessed(origin)
    const convicted = await this.#read(verify)
    if (convicted.has(origin)) return false
    if (convicted.size >= max && !isWanted) {
      this.#unkept.add(origin)
      const [oldest] = this.#unkept
      if (this.#unkept.size > FORKS_UNKEPT_MAX && oldest !== undefined) this.#unkept.delete(oldest)
      return false
    }
    convicted.add(origin)
    const value = encodeFork(fork)
    try {
      await store.write([{ type: 'put', key: FORK + idOf(value), value }])
    } catch (error) {
      convicted.delete(origin)
      throw error
    }
    return true
  }

  /** All, by id. */
  async all(): Promise<{ id: string; bytes: Uint8Array }[]> {
    const found: { id: string; bytes: Uint8Array }[] = []
    for await (const [key, bytes] of this.#init.store.range({ from: FORK, to: `${FORK}~` }))
      found.push({ id: key.slice(FORK.length), bytes })
    return found
  }

  /** Whether an origin is convicted here. */
  async has(origin: string, verify: VerifySignature): Promise<boolean> {
    return this.#unkept.has(origin) || (await this.#read(verify)).has(origin)
  }

  #read(verify: VerifySignature): Promise<Set<string>> {
    this.#convicted ??= this.#readAll(verify).catch(error => {
      this.#convicted = null
      throw error
    })
    return this.#convicted
  }

  async #readAll(verify: VerifySignature): Promise<Set<string>> {
    const origins = new Set<string>()
    for (const { bytes } of await this.all()) {
      const fork = decodeFork(bytes)
      const checked = fork.ok ? checkFork(fork.value, verify) : fork
      if (checked.ok) origins.add(checked.value.origin)
    }
    return origins
  }
}
