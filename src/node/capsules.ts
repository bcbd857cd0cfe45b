import {
  CapsuleUnavailableError,
  type OpaPolicyEngine,
  parseCapsuleBlock
} from '../adapters/opa/index.ts'
import { SwarmError } from '../core/base/index.ts'
import type { PolicyDecision, PolicyInput } from '../core/policy/index.ts'
import {
  BASE_NAME,
  type CapsuleDag,
  gatherCapsule,
  readCapsuleFile,
  shippedCapsule
} from '../policy/index.ts'
import type { ArtifactStore, Logger } from '../ports/index.ts'
import type { CapsuleOrigin, CapsuleSummary } from '../rpc/index.ts'

/** How long a fetch waits for one block, in ms, when its caller does not say. */
const FETCH_MS = 20_000
/** How long a question waits for a capsule that is being fetched, in ms; who asked asks again. */
const ASK_WAIT_MS = 5_000
/** Fetches under way with which a stranger's NEED begins no other, against floods. A verdict that needs its capsule does not wait for them. */
const FETCHES_MAX = 4
/** Fetched capsules that are kept; the oldest is let go. Each has at most 2.5 MiB. */
const FETCHED_MAX = 64
/** How long a capsule that nobody delivered is not asked for again for a NEED, in ms. */
const RETRY_MS = 2_000
/** Such capsules that are remembered. */
const MISSED_MAX = 1024

/** Beginnings of the names of pins, by origin. */
const PIN_NAMES = { added: 'policy: ', fetched: 'policy of a NEED: ' } as const

type Wait = { readonly timeoutMs?: number | undefined }

/** The capsules of a node: the shipped one, those that its user added, and those that NEEDs name, fetched from peers. */
export class Capsules {
  readonly #engine: OpaPolicyEngine
  readonly #artifacts: ArtifactStore
  readonly #logger: Logger
  /** Being fetched, by CID. */
  readonly #fetching = new Map<string, Promise<void>>()
  /** Until when (monotonic ms) one is not asked for again, and why. */
  readonly #missed = new Map<string, { readonly untilMs: number; readonly why: string }>()

  constructor(engine: OpaPolicyEngine, artifacts: ArtifactStore, logger: Logger) {
    this.#engine = engine
    this.#artifacts = artifacts
    this.#logger = logger
  }

  /**
   * Asks a capsule. One that is not here is fetched; until it is, rejects with CapsuleUnavailableError: a local fault, never a verdict (POL-17).
   * Rejects with CapsuleRefusedError when it is here and is none.
   */
  async evaluate(cid: string, input: PolicyInput): Promise<PolicyDecision> {
    if (!this.#engine.holds(cid)) await this.#waitFor(cid)
    return this.#engine.evaluate(cid, input)
  }

  /** Makes a capsule ready, from this disk or from peers, and keeps it. */
  ready(cid: string, wait: Wait = {}): Promise<void> {
    if (this.#engine.holds(cid)) return Promise.resolve()
    const running = this.#fetching.get(cid)
    if (running !== undefined) return running
    const fetching = this.#fetch(cid, wait).finally(() => this.#fetching.delete(cid))
    this.#fetching.set(cid, fetching)
    return fetching
  }

  /** Begins to fetch a capsule that a stranger's NEED names, if there is room. Never rejects; resolves with what keeps it from being asked. */
  async want(cid: string): Promise<Error | null> {
    if (this.#engine.holds(cid)) return null
    const missed = this.#missedWhy(cid)
    if (missed !== null) return new CapsuleUnavailableError(cid, missed)
    if (!this.#fetching.has(cid) && this.#fetching.size >= FETCHES_MAX) return null
    try {
      await this.ready(cid)
      return null
    } catch (error) {
      this.#logger.warn('the capsule of a NEED is not ready', {
        capsule: cid,
        error: String(error)
      })
      return error as Error
    }
  }

  /** A capsule with its sources, wherever it is. Nothing is run. */
  async get(cid: string, wait: Wait = {}): Promise<{ dag: CapsuleDag; origin: CapsuleOrigin }> {
    if (cid === this.#engine.baseCapsule) return { dag: await shippedCapsule(), origin: 'shipped' }
    return { dag: await this.#gather(cid, wait), origin: (await this.#origins()).get(cid) ?? null }
  }

  /** Reads a capsule file of this machine, runs its vectors, and pins it: from now on peers can fetch it here. */
  async add(path: string): Promise<CapsuleSummary> {
    const dag = await readCapsuleFile(path)
    await this.#engine.load(dag.capsule)
    for (const [cid, bytes] of dag.blocks) await this.#artifacts.putBlock(cid, bytes)
    await this.#keep(dag, 'added')
    return summaryOf(dag.capsule.block, { ...dag.capsule, origin: 'added', ready: true })
  }

  /** The shipped capsule first, then the others, newest last. */
  async list(): Promise<CapsuleSummary[]> {
    const { capsule } = await shippedCapsule()
    const found = [summaryOf(capsule.block, { ...capsule, origin: 'shipped', ready: true })]
    for (const [cid, origin] of await this.#origins()) {
      const block = await this.#artifacts.getBlock(cid, { timeoutMs: FETCH_MS })
      found.push(summaryOf(block, { cid, origin, ready: this.#engine.holds(cid) }))
    }
    return found
  }

  async #waitFor(cid: string): Promise<void> {
    const missed = this.#missedWhy(cid)
    if (missed !== null) throw new CapsuleUnavailableError(cid, missed)
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => late.reject(new CapsuleUnavailableError(cid, 'it is still being fetched')),
      ASK_WAIT_MS
    )
    const ready = this.ready(cid)
    // Still under way when nobody waits any more.
    ready.catch(() => undefined)
    await Promise.race([ready, late.promise]).finally(() => clearTimeout(timer))
  }

  async #fetch(cid: string, wait: Wait): Promise<void> {
    const dag = await this.#gather(cid, wait)
    await this.#engine.load(dag.capsule)
    if (!(await this.#origins()).has(cid)) await this.#keep(dag, 'fetched')
  }

  async #gather(cid: string, { timeoutMs = FETCH_MS }: Wait): Promise<CapsuleDag> {
    try {
      return await gatherCapsule(cid, part => this.#artifacts.getBlock(part, { timeoutMs }))
    } catch (error) {
      if (!(error instanceof SwarmError) || !NOT_DELIVERED.has(error.code)) throw error
      this.#miss(cid, error.message)
      throw new CapsuleUnavailableError(cid, error.message)
    }
  }

  async #keep({ capsule }: CapsuleDag, origin: keyof typeof PIN_NAMES): Promise<void> {
    const { cid, name } = capsule
    if ((await this.#origins()).has(cid)) await this.#artifacts.unpin(cid)
    await this.#artifacts.pin(cid, `${PIN_NAMES[origin]}${name}`, { timeoutMs: FETCH_MS })
    const fetched = [...(await this.#origins())].filter(([, one]) => one === 'fetched')
    for (const [old] of fetched.slice(0, Math.max(0, fetched.length - FETCHED_MAX)))
      await this.#artifacts.unpin(old)
  }

  /** Pinned capsules by CID, oldest first. */
  async #origins(): Promise<Map<string, 'added' | 'fetched'>> {
    const pins = [...(await this.#artifacts.pins())].sort((a, b) => a.createdAt - b.createdAt)
    const origins = new Map<string, 'added' | 'fetched'>()
    for (const { cid, name } of pins) {
      if (name.startsWith(PIN_NAMES.added)) origins.set(cid, 'added')
      else if (name.startsWith(PIN_NAMES.fetched)) origins.set(cid, 'fetched')
    }
    return origins
  }

  #missedWhy(cid: string): string | null {
    const missed = this.#missed.get(cid)
    return missed === undefined || missed.untilMs <= performance.now() ? null : missed.why
  }

  #miss(cid: string, why: string): void {
    this.#missed.delete(cid)
    this.#missed.set(cid, { untilMs: performance.now() + RETRY_MS, why })
    const [oldest = cid] = this.#missed.keys()
    if (this.#missed.size > MISSED_MAX) this.#missed.delete(oldest)
  }
}

/** Codes of a store that did not get a block, for whatever reason. */
const NOT_DELIVERED: ReadonlySet<string> = new Set([
  'ARTIFACT_NOT_FOUND',
  'ARTIFACT_STORE_STOPPED',
  'ARTIFACT_STORE_FAILED'
])

function summaryOf(
  block: Uint8Array,
  about: { readonly cid: string; readonly origin: CapsuleOrigin; readonly ready: boolean }
): CapsuleSummary {
  const { name, entrypoint, opa, limits, vectors, sources } = parseCapsuleBlock(block)
  const { cid, origin, ready } = about
  return {
    cid,
    name: origin === 'shipped' ? BASE_NAME : name,
    origin,
    ready,
    entrypoint,
    opa,
    limits,
    vectors: vectors.length,
    sources: sources.length
  }
}
