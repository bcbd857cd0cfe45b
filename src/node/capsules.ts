import {
  CapsuleRefusedError,
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
import { Lanes } from '../runtime/index.ts'

/** How long a fetch waits for one block, in ms, when its caller does not say. */
const FETCH_MS = 20_000
/** How long a question waits for a capsule that is being fetched, in ms; who asked asks again. */
const ASK_WAIT_MS = 5_000
/** Fetches under way with which a stranger's NEED begins no other, against floods. A verdict that needs its capsule does not wait for them. */
const FETCHES_MAX = 4
/** Fetched capsules that are kept; the oldest is let go with its blocks. Each has at most 2.5 MiB. */
const FETCHED_MAX = 64
/** How long a block that is on this disk is waited for, in ms. */
const LOCAL_MS = 2_000
/** How long a capsule that nobody delivered is not asked for again for a NEED, in ms. */
const RETRY_MS = 2_000
/** Such capsules that are remembered. */
const MISSED_MAX = 1024

/** Refused capsules that are remembered. */
const REFUSED_MAX = 1024
/** Capsules that came in part and whose blocks wait for the rest; those of the oldest are removed. Each has at most 2.5 MiB. */
const BEGUN_MAX = 16

/** Beginnings of the names of pins, by origin. */
const PIN_NAMES = { added: 'policy: ', fetched: 'policy of a NEED: ' } as const

type Wait = { readonly timeoutMs?: number | undefined }

/** The capsules of a node: the shipped one, those that its user added, and those that NEEDs name, fetched from peers. */
export class Capsules {
  readonly #engine: OpaPolicyEngine
  readonly #artifacts: ArtifactStore
  readonly #logger: Logger
  readonly #fetchedMax: number
  readonly #begunMax: number
  /** What is kept and what is let go, one after the other: two capsules may have blocks in common. */
  readonly #keeping = new Lanes(1)
  /** Being fetched, by CID. */
  readonly #fetching = new Map<string, Promise<void>>()
  /** Until when (monotonic ms) one is not asked for again, and why. */
  readonly #missed = new Map<string, { readonly untilMs: number; readonly why: string }>()

  /** Refused for good, so that nobody has to bring them again. Oldest first. */
  readonly #refused = new Map<string, CapsuleRefusedError>()
  /** Blocks that came of capsules that are not whole yet, oldest first. */
  readonly #begun = new Map<string, string[]>()

  constructor(
    engine: OpaPolicyEngine,
    artifacts: ArtifactStore,
    logger: Logger,
    { fetchedMax = FETCHED_MAX, begunMax = BEGUN_MAX } = {}
  ) {
    this.#begunMax = begunMax
    this.#fetchedMax = fetchedMax
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
    const refused = this.#refused.get(cid)
    if (refused !== undefined) return Promise.reject(refused)
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
    await this.#keeping.run(() => this.#keep(dag, 'added'))
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
    const brought = this.#begun.get(cid) ?? []
    this.#begun.delete(cid)
    try {
      const dag = await this.#gather(cid, wait, async part => {
        if (!(await this.#isHere(part))) brought.push(part)
      })
      await this.#engine.load(dag.capsule)
      await this.#keeping.run(async () => {
        if (!(await this.#origins()).has(cid)) await this.#keep(dag, 'fetched')
      })
    } catch (error) {
      const gone = error instanceof CapsuleRefusedError ? brought : this.#setAside(cid, brought)
      if (error instanceof CapsuleRefusedError) putNewest(this.#refused, cid, error, REFUSED_MAX)
      await this.#keeping.run(() => this.#discard(gone))
      throw error
    }
  }

  /** Keeps what came of a capsule for the next try, and returns the blocks of the one that has to go for it. */
  #setAside(cid: string, brought: string[]): readonly string[] {
    return brought.length === 0 ? [] : (putNewest(this.#begun, cid, brought, this.#begunMax) ?? [])
  }

  /** A block that cannot be told to be here counts as one that is: what others put here is not for a stranger to remove. */
  #isHere(part: string): Promise<boolean> {
    return this.#artifacts.has(part).catch(() => true)
  }

  /** Removes blocks that nothing pins. What cannot be removed is left to the next collection. */
  async #discard(blocks: readonly string[]): Promise<void> {
    if (blocks.length === 0) return
    await this.#artifacts.discard(blocks).catch((error: unknown) => {
      this.#logger.warn('blocks of a capsule that is not kept are still on the disk', {
        error: String(error)
      })
    })
  }

  /** `before` is called with the CID of each block before it is loaded. */
  async #gather(
    cid: string,
    { timeoutMs = FETCH_MS }: Wait,
    before: (part: string) => Promise<void> = async () => undefined
  ): Promise<CapsuleDag> {
    try {
      return await gatherCapsule(cid, async part => {
        await before(part)
        return this.#artifacts.getBlock(part, { timeoutMs })
      })
    } catch (error) {
      if (!(error instanceof SwarmError) || !NOT_DELIVERED.has(error.code)) throw error
      this.#miss(cid, error.message)
      throw new CapsuleUnavailableError(cid, error.message)
    }
  }

  async #keep({ capsule, blocks }: CapsuleDag, origin: keyof typeof PIN_NAMES): Promise<void> {
    const { cid, name } = capsule
    // Another capsule with the same blocks may have been let go meanwhile.
    for (const [part, bytes] of blocks)
      if (!(await this.#artifacts.has(part))) await this.#artifacts.putBlock(part, bytes)
    if ((await this.#origins()).has(cid)) await this.#artifacts.unpin(cid)
    await this.#artifacts.pin(cid, `${PIN_NAMES[origin]}${name}`, { timeoutMs: FETCH_MS })
    const fetched = [...(await this.#origins())].filter(([, one]) => one === 'fetched')
    for (const [old] of fetched.slice(0, Math.max(0, fetched.length - this.#fetchedMax)))
      await this.#letGo(old)
  }

  async #letGo(cid: string): Promise<void> {
    const blocks: string[] = []
    // Pinned, so they are here; what is damaged has no blocks that could be named.
    await gatherCapsule(cid, part => {
      blocks.push(part)
      return this.#artifacts.getBlock(part, { timeoutMs: LOCAL_MS })
    }).catch(() => undefined)
    await this.#artifacts.unpin(cid)
    await this.#discard(blocks)
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
    putNewest(this.#missed, cid, { untilMs: performance.now() + RETRY_MS, why }, MISSED_MAX)
  }
}

/** Puts a value last in a map that holds so many; returns the oldest that had to go. */
function putNewest<T>(map: Map<string, T>, key: string, value: T, max: number): T | undefined {
  map.delete(key)
  map.set(key, value)
  const [oldest = key] = map.keys()
  const gone = map.size > max ? map.get(oldest) : undefined
  if (map.size > max) map.delete(oldest)
  return gone
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
