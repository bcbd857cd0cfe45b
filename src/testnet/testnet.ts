import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { TestnetNotConnectedError, TestnetUsageError } from './errors.ts'
import { type Liar, startLiar } from './liar.ts'
import { CONNECT_TIMEOUT_MS, NODES_MAX, POLL_MS } from './limits.ts'
import { NodeProcess, nodeEnvironment } from './node-process.ts'
import { rolesOf } from './roles.ts'

export type TestnetInit = {
  readonly nodes: number
  readonly capability: string
  /** What the nodes can do as well. */
  readonly more?: readonly string[]
  /** Nodes that work. Default: two. */
  readonly workers?: number
  /** Nodes that run a liar. */
  readonly bad?: number
  /** Folder for the homes. Default: a new one under the system's temporary folder. */
  readonly dir?: string
  /** Listen on all interfaces, so that machines of the LAN can join. */
  readonly lan?: boolean
  readonly env?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal
  /** Takes a line that says which folder a failed start has left behind. */
  readonly note?: (line: string) => void
}

/** Several nodes on this machine that know only each other. */
export class Testnet {
  readonly dir: string
  readonly network: string
  readonly nodes: readonly NodeProcess[]
  #liars: readonly Liar[] = []

  private constructor(init: { dir: string; network: string; nodes: readonly NodeProcess[] }) {
    this.dir = init.dir
    this.network = init.network
    this.nodes = init.nodes
  }

  /**
   * Starts the nodes. The first one's address is what the others join through, so it goes first and they follow all at once.
   * On failure nothing keeps running.
   */
  static async start(init: TestnetInit): Promise<Testnet> {
    checkSize(init)
    const signal = init.signal ?? new AbortController().signal
    const dir = init.dir ?? mkdtempSync(join(tmpdir(), 'can-swarm-testnet-'))
    // Unique, so that two testnets on one machine never talk to each other.
    const network = `testnet-${randomBytes(4).toString('hex')}`
    const env = nodeEnvironment(init.env ?? process.env)
    const listen = init.lan === true ? '/ip4/0.0.0.0/tcp/0' : '/ip4/127.0.0.1/tcp/0'
    const nodes: NodeProcess[] = []
    const testnet = new Testnet({ dir, network, nodes })
    try {
      for (const role of rolesOf(init.nodes, init)) {
        const bootstrap = nodes[0]?.status.addresses.slice(0, 1) ?? []
        const home = join(dir, role.name)
        const node = new NodeProcess({ role, home, network, listen, join: bootstrap, env })
        nodes.push(node)
        if (nodes.length === 1) await node.start(signal)
      }
      await Promise.all(nodes.slice(1).map(node => node.start(signal)))
      const bad = nodes.filter(node => node.role.bad)
      testnet.#liars = await Promise.all(bad.map(node => startLiar(node.client, init.capability)))
      return testnet
    } catch (error) {
      await testnet.stop()
      if (init.dir === undefined) testnet.tidy(signal.aborted, init.note)
      throw error
    }
  }

  /** The node that states NEEDs and that others join through. */
  get first(): NodeProcess {
    const [first] = this.nodes
    if (first === undefined) throw new TestnetUsageError('the testnet has no node')
    return first
  }

  get running(): readonly NodeProcess[] {
    return this.nodes.filter(node => node.isRunning)
  }

  /** Short name of a node by its DID; the end of the DID for strangers. */
  nameOf(did: string): string {
    const known = this.nodes.find(node => node.hasDid(did))
    return known?.name ?? `…${did.slice(-6)}`
  }

  /** Waits until every running node is connected to every other. Rejects with TestnetNotConnectedError. */
  async connected(signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + CONNECT_TIMEOUT_MS
    for (;;) {
      signal?.throwIfAborted()
      const missing = await this.#missing()
      if (missing === '') return
      if (performance.now() > deadline)
        throw new TestnetNotConnectedError(
          `the nodes did not find each other within ${CONNECT_TIMEOUT_MS} ms: ${missing}; logs are in ${this.dir}`
        )
      await delay(POLL_MS)
    }
  }

  /** Stops all nodes. Idempotent. */
  async stop(): Promise<void> {
    for (const liar of this.#liars) liar.stop()
    await Promise.all(this.nodes.map(node => node.stop()))
  }

  /**
   * Removes the homes of stopped nodes, and the folder if nothing else lies in it: after success, and when somebody interrupts,
   * who wants nothing of it. After a failure the logs tell why, so they stay, and `note` takes a line that says where.
   */
  tidy(isOver: boolean, note?: (line: string) => void): void {
    if (isOver) this.#removeHomes()
    else note?.(`homes and logs of the nodes are in ${this.dir}; remove them: rm -r ${this.dir}`)
  }

  #removeHomes(): void {
    for (const node of this.nodes) rmSync(node.home, { recursive: true, force: true })
    if (existsSync(this.dir) && readdirSync(this.dir).length === 0) rmdirSync(this.dir)
  }

  async #missing(): Promise<string> {
    const { running } = this
    const lacks = await Promise.all(
      running.map(async node => {
        const peers = await node.client.call('peers.list', {})
        const seen = new Set(peers.map(peer => peer.did))
        return running
          .filter(other => other !== node && !seen.has(other.did))
          .map(other => `${node.name} does not see ${other.name}`)
      })
    )
    return lacks.flat()[0] ?? ''
  }
}

/** Throws TestnetUsageError for a size or shape that cannot be. */
export function checkSize({ nodes, bad = 0 }: Pick<TestnetInit, 'nodes' | 'bad'>): void {
  if (!Number.isSafeInteger(nodes) || nodes < 1 || nodes > NODES_MAX)
    throw new TestnetUsageError(`a testnet has 1 to ${NODES_MAX} nodes, not ${nodes}`)
  if (!Number.isSafeInteger(bad) || bad < 0 || bad >= nodes)
    throw new TestnetUsageError(`fewer than ${nodes} of ${nodes} nodes can be bad, not ${bad}`)
}
