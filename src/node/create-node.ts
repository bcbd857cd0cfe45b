import {
  type AgentInit,
  builtinProgram,
  type OnAgentEvent,
  runVerifier,
  runWorker
} from '../agents/index.ts'
import { type Config, socketPath } from '../config/index.ts'
import { assert } from '../core/base/index.ts'
import {
  type Handlers,
  localClient,
  type RpcServer,
  rpcServer,
  type SwarmClient
} from '../rpc/index.ts'
import { StopTimeoutError } from './errors.ts'
import { agentHandlers } from './handlers/agent-handlers.ts'
import { artifactHandlers } from './handlers/artifact-handlers.ts'
import { historyHandlers } from './handlers/history-handlers.ts'
import { needHandlers } from './handlers/need-handlers.ts'
import { nodeHandlers } from './handlers/node-handlers.ts'
import { planHandlers } from './handlers/plan-handlers.ts'
import { policyHandlers } from './handlers/policy-handlers.ts'
import { proofHandlers } from './handlers/proof-handlers.ts'
import { keepCompact, keepHistory, syncAtStart } from './history.ts'
import { ManifestKeeper } from './manifest.ts'
import { type NodeParts, openParts } from './node-parts.ts'
import { keepCapsules, keepPlans, keepResults, syncPlans } from './projections.ts'
import { keepRecords } from './records.ts'

/** A node as the `start` command holds it. */
export interface SwarmNode {
  readonly did: string
  readonly socketPath: string
  /** ms from the start of the process until the node listened; 0 before. */
  readonly startupMs: number
  addresses(): readonly string[]
  start(): Promise<void>
  /** Idempotent. Leaves nothing running and the home unlocked. */
  stop(): Promise<void>
  /** Resolves when a client asks over RPC that the node stops; whoever holds the node then calls `stop`. */
  readonly stopped: Promise<void>
  /** The node cannot go on: a bug, or a disk that failed. The process must end (R13). */
  onFatal(listener: (error: Error) => void): void
}

/** Opens the home and composes a node: config -> adapters -> runtime -> RPC -> agents, in this order and no other. */
export async function createNode(config: Config): Promise<SwarmNode> {
  const fatal = Promise.withResolvers<Error>()
  const parts = await openParts(config, fatal.resolve)
  return new ComposedNode(parts, fatal.promise)
}

class ComposedNode implements SwarmNode {
  readonly did: string
  readonly socketPath: string
  startupMs = 0
  readonly #parts: NodeParts
  readonly stopped: Promise<void>
  readonly #fatal: Promise<Error>
  readonly #manifest: ManifestKeeper
  readonly #handlers: Handlers
  readonly #rpc: RpcServer
  readonly #agents = new AbortController()
  readonly #running: Promise<void>[] = []
  readonly #stoppers: (() => unknown)[] = []
  #client: SwarmClient | null = null
  #stopping: Promise<void> | null = null

  constructor(parts: NodeParts, fatal: Promise<Error>) {
    const asked = Promise.withResolvers<void>()
    this.stopped = asked.promise
    this.#parts = parts
    this.#fatal = fatal
    this.did = parts.signer.did
    this.socketPath = socketPath(parts.config.home.dir)
    this.#manifest = new ManifestKeeper(parts)
    this.#handlers = {
      ...nodeHandlers({
        parts,
        manifest: this.#manifest,
        startedAt: Date.now(),
        startupMs: () => this.startupMs,
        requestStop: () => setImmediate(asked.resolve)
      }),
      ...needHandlers(parts),
      ...planHandlers(parts),
      ...proofHandlers(parts),
      ...historyHandlers(parts),
      ...policyHandlers(parts),
      ...agentHandlers(parts, this.#manifest),
      ...artifactHandlers(parts)
    }
    this.#rpc = rpcServer({
      socketPath: this.socketPath,
      handlers: this.#handlers,
      logger: parts.logger
    })
  }

  addresses(): readonly string[] {
    return this.#parts.network.addresses()
  }

  onFatal(listener: (error: Error) => void): void {
    void this.#fatal.then(listener)
  }

  /** Policy before the driver, since the door needs it; the driver before the network, since it sets the door. */
  async start(): Promise<void> {
    const { policy, driver, network, artifacts, plan } = this.#parts
    try {
      await this.#begin(policy.start(), () => policy.stop())
      this.#stoppers.push(keepPlans(this.#parts), () => plan.stop())
      await this.#begin(driver.start(), () => driver.stop())
      this.#stoppers.push(syncPlans(this.#parts))
      await this.#begin(network.start(), () => network.stop())
      await this.#begin(artifacts.start(), () => artifacts.stop())
      this.#stoppers.push(
        keepRecords(this.#parts),
        keepHistory(this.#parts),
        keepCompact(this.#parts),
        syncAtStart(this.#parts),
        keepResults(this.#parts),
        keepCapsules(this.#parts)
      )
      await this.#begin(this.#rpc.start(), () => this.#rpc.stop())
      this.startupMs = Math.round(process.uptime() * 1000)
      await this.#begin(this.#announce(), () => this.#manifest.stop())
      this.#startAgents()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #begin(started: Promise<void>, stop: () => unknown): Promise<void> {
    this.#stoppers.push(stop)
    await started
  }

  /** A node whose policy gate cannot speak still serves: it says why, and its user finds it in `doctor`. */
  async #announce(): Promise<void> {
    try {
      await this.#manifest.start()
    } catch (error) {
      this.#parts.logger.error('this node could not announce itself', { error: String(error) })
    }
  }

  #startAgents(): void {
    const { agents, node } = this.#parts.config
    if (agents.work.length + agents.verify.length === 0) return
    this.#client = localClient(this.#handlers)
    for (const capability of agents.work) this.#host('worker', capability, runWorker)
    // Unplugged in tests that show that nothing is final without verifiers (R21).
    const verify = node.unplug.includes('verifier') ? [] : agents.verify
    for (const capability of verify) this.#host('verifier', capability, runVerifier)
  }

  #host(
    role: string,
    capability: string,
    run: (client: SwarmClient, init: AgentInit) => Promise<void>
  ): void {
    const program = builtinProgram(capability)
    assert(program !== null && this.#client !== null, 'the settings name builtin capabilities only')
    const { logger } = this.#parts
    const onEvent: OnAgentEvent = ({ type, ...details }) =>
      logger.debug(`${role}: ${type}`, details)
    const agent = run(this.#client, { capability, program, signal: this.#agents.signal, onEvent })
    this.#running.push(
      agent.catch((error: unknown) => {
        if (!this.#agents.signal.aborted)
          logger.error(`the ${role} of ${capability} ended`, { error: String(error) })
      })
    )
  }

  async #stop(): Promise<void> {
    this.#agents.abort()
    this.#client?.close()
    await this.#bounded('agents', Promise.all(this.#running))
    for (const stop of this.#stoppers.splice(0).reverse()) await this.#bounded('a part', stop())
    await this.#bounded('the home', this.#parts.close())
  }

  /** Waits for a part to stop, but not for ever: a full disk or a wedged worker must not keep the process alive. */
  async #bounded(what: string, stopped: unknown): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(() => late.reject(new StopTimeoutError(what)), STOP_PART_MS)
    try {
      await Promise.race([stopped, late.promise])
    } catch (error) {
      this.#parts.logger.warn('a part did not stop cleanly', { what, error: String(error) })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Longest wait for one part to stop, in ms; above what each part allows itself. */
const STOP_PART_MS = 5_000
