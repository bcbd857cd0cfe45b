import { availableParallelism } from 'node:os'
import { assert, compareText } from '../../core/base/index.ts'
import { taggedHash } from '../../core/codec/index.ts'
import { METERING_RULES } from '../../core/metering/index.ts'
import { type PolicyDecision, type PolicyInput, policyText } from '../../core/policy/index.ts'
import type { Logger, PolicyEngine } from '../../ports/index.ts'
import { type Capsule, loadCapsule, loadShippedCapsule } from './capsule.ts'
import { CapsuleRefusedError, CapsuleUnavailableError, PolicyUnavailableError } from './errors.ts'
import { EvaluatorPool } from './evaluator-pool.ts'
import { GuestCapsules } from './guests.ts'
import {
  ANSWER_BYTES_MAX,
  LARGE_MEMORY_PAGES,
  LONE_GAS_MAX,
  PENDING_MAX,
  REASON_LENGTH_MAX,
  REASONS_MAX,
  SMALL_INPUT_BYTES,
  SMALL_MEMORY_PAGES,
  THREADS_MAX
} from './limits.ts'
import { sourceOf, vectorsOf } from './load.ts'
import { LoneJudge } from './lone-judge.ts'
import type { CapsuleSource, VectorText } from './protocol.ts'

/** How policies are called, as the engine hash names it: OPA's ABI for wasm, since the version with `opa_eval`. */
export const EVALUATOR = { abi: 'opa-wasm', version: '1.2' } as const

const ENGINE_TAG = 'can-swarm/policy-engine/v1'

export type OpaPolicyEngineInit = {
  /** The bundled `worker.js` of this room. */
  readonly workerUrl: URL
  /** Folders with a capsule each. The first is the base capsule, which ships with the program. */
  readonly directories: readonly string[]
  /** Wall time for one evaluation, in ms. Far above any honest evaluation: it is a guard, not a limit. */
  readonly timeoutMs: number
  readonly logger: Logger
  /** Gas up to which a lone question is judged in the calling thread; 0 leaves all to the pool. By default LONE_GAS_MAX. */
  readonly loneGas?: number
  /** Parts taken out, for tests that prove that they are needed: with `policy` every evaluation rejects. */
  readonly unplug?: ReadonlySet<string>
}

/** Evaluations that took too long, or broke their thread. */
export type Alarms = { readonly count: number; readonly last: string | null }

/** The port, and capsules of strangers. */
export interface OpaPolicyEngine extends PolicyEngine {
  /**
   * Makes a capsule ready to be asked: meters it here, and runs its vectors. Rejects with CapsuleRefusedError, at once when it was refused
   * before. Few are ready at once: one that was not asked for long has to be loaded again.
   */
  load(capsule: Capsule): Promise<void>
  /** Whether it can be asked now. */
  holds(cid: string): boolean
  /** How often a thread had to be replaced since this program began, and the last reason; null when none. */
  alarms(): Alarms
}

/**
 * The policy engine over OPA's wasm, in a pool of threads for the shipped capsules and, once there are any, a thread for strangers'. Reads the capsules at once (raises CapsuleRefusedError); runs their
 * vectors in `start`, which rejects with the same error. Everything else is the port's contract.
 */
export function opaPolicyEngine(init: OpaPolicyEngineInit): OpaPolicyEngine {
  return new Engine(init)
}

class Engine implements OpaPolicyEngine {
  readonly engine: Uint8Array
  readonly baseCapsule: string
  readonly #init: OpaPolicyEngineInit
  readonly #capsules: ReadonlyMap<string, Capsule>
  readonly #sources: ReadonlyMap<string, CapsuleSource>
  /** CIDs of those that a thread accepted. */
  readonly #loaded = new Set<string>()
  readonly #refused = new Map<string, CapsuleRefusedError>()
  readonly #pool: EvaluatorPool
  readonly #lone: LoneJudge
  readonly #guests: GuestCapsules
  #alarms: Alarms = { count: 0, last: null }
  #loading: Promise<void> | null = null
  #stopped = false

  constructor(init: OpaPolicyEngineInit) {
    const [shipped, ...others] = init.directories
    assert(shipped !== undefined, 'the base capsule ships with the program')
    const base = loadShippedCapsule(shipped)
    const capsules = [base, ...others.map(loadCapsule)]
    this.#init = init
    this.baseCapsule = base.cid
    this.engine = engineHash(base.capabilities)
    this.#capsules = new Map(capsules.map(capsule => [capsule.cid, capsule]))
    this.#sources = new Map(capsules.map(capsule => [capsule.cid, sourceOf(capsule)]))
    const lone = new LoneJudge(init.loneGas ?? LONE_GAS_MAX)
    this.#lone = lone
    this.#pool = new EvaluatorPool({
      sources: [...this.#sources.values()],
      workerUrl: init.workerUrl,
      threads: Math.min(THREADS_MAX, availableParallelism()),
      ofCapsuleMax: PENDING_MAX,
      timeoutMs: init.timeoutMs,
      judgeAlone: (capsule, input) => lone.judge(capsule, input),
      onAlarm: (why, about) => this.#alarm('a policy worker is replaced', why, about)
    })
    this.#guests = new GuestCapsules({
      workerUrl: init.workerUrl,
      onAlarm: (why, about) => this.#alarm('the worker of fetched policies is replaced', why, about)
    })
  }

  async start(): Promise<void> {
    this.#stopped = false
    await this.#load()
    for (const error of this.#refused.values()) throw error
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#loading = null
    this.#loaded.clear()
    this.#lone.close()
    await Promise.all([
      this.#pool.close('the engine is stopped'),
      this.#guests.close('the engine is stopped')
    ])
  }

  async load(capsule: Capsule): Promise<void> {
    if (this.#stopped) throw new PolicyUnavailableError('the engine is stopped')
    if (!this.#capsules.has(capsule.cid)) await this.#guests.load(capsule)
  }

  holds(cid: string): boolean {
    return this.#capsules.has(cid) || this.#guests.holds(cid)
  }

  alarms(): Alarms {
    return this.#alarms
  }

  async evaluate(capsule: string, input: PolicyInput): Promise<PolicyDecision> {
    if (this.#init.unplug?.has('policy'))
      throw new PolicyUnavailableError('the policy engine is unplugged')
    if (this.#stopped) throw new PolicyUnavailableError('the engine is stopped')
    if (this.#guests.holds(capsule)) return this.#guests.evaluate(capsule, input)
    if (!this.#capsules.has(capsule)) throw new CapsuleUnavailableError(capsule)
    if (!this.#loaded.has(capsule)) await this.#load()
    const refused = this.#refused.get(capsule)
    if (refused !== undefined) throw refused
    return this.#pool.judge(this.#sourceOf(capsule), policyText(input))
  }

  #alarm(message: string, why: string, about: { readonly capsule: string }): void {
    this.#alarms = { count: this.#alarms.count + 1, last: why }
    this.#init.logger.error(message, { why, ...about })
  }

  #sourceOf(cid: string): CapsuleSource {
    const source = this.#sources.get(cid)
    assert(source !== undefined, 'every shipped capsule has a source')
    return source
  }

  /** Starts a thread and checks every capsule, once. */
  #load(): Promise<void> {
    this.#loading ??= this.#loadAll().catch((error: unknown) => {
      this.#loading = null
      throw error
    })
    return this.#loading
  }

  async #loadAll(): Promise<void> {
    const capsules = [...this.#capsules.values()].sort((a, b) => compareText(a.cid, b.cid))
    await Promise.all(
      capsules.map(async capsule => {
        const source = this.#sourceOf(capsule.cid)
        const vectors = vectorsOf(capsule)
        const flaw = await this.#pool.check({ source, vectors })
        if (flaw === null) this.#accept(source, vectors)
        else this.#refused.set(capsule.cid, new CapsuleRefusedError(capsule.cid, flaw))
      })
    )
  }

  #accept(source: CapsuleSource, vectors: readonly VectorText[]): void {
    this.#loaded.add(source.capsule)
    if (!this.#stopped) this.#lone.open(source, vectors[0]?.input ?? null)
  }
}

/** `policyEngine`: everything besides capsule and input that a decision depends on. `capabilities`: text CID of the base capsule's. */
export function engineHash(capabilities: string): Uint8Array {
  return taggedHash(ENGINE_TAG, {
    evaluator: EVALUATOR,
    capabilities,
    metering: METERING_RULES,
    memory: {
      smallInputBytes: SMALL_INPUT_BYTES,
      smallPages: SMALL_MEMORY_PAGES,
      largePages: LARGE_MEMORY_PAGES
    },
    answer: {
      bytesMax: ANSWER_BYTES_MAX,
      reasonsMax: REASONS_MAX,
      reasonLengthMax: REASON_LENGTH_MAX
    }
  })
}
