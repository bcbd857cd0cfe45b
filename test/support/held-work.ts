import {
  addArtifact,
  connect,
  type Program,
  runVerifier,
  runWorker,
  type SwarmClient
} from '../../src/agents/index.ts'
import type { NodeProcess, Testnet } from '../../src/testnet/index.ts'

/** What only these agents can do. */
export const HELD_CAPABILITY = 'test/held'

/** Of a commit that the test makes itself. */
const TELEMETRY = {
  tokens: 0,
  cost: '1',
  wallMs: 1,
  exitStatus: 0,
  tool: 'held',
  model: '',
  zone: ''
}

/**
 * A worker, here in the test, that works through one node and does not finish before the test says so, and verifiers at the other
 * nodes. What holds the lease is the node: it can be held while its agent goes on.
 */
export class HeldWork {
  readonly capability = HELD_CAPABILITY
  readonly #stop = new AbortController()
  readonly #begun = Promise.withResolvers<void>()
  readonly #finished = Promise.withResolvers<void>()
  readonly #clients: SwarmClient[] = []
  #running: Promise<void>[] = []

  static async start(testnet: Testnet, worker: NodeProcess): Promise<HeldWork> {
    const work = new HeldWork()
    await Promise.all(testnet.nodes.slice(1).map(node => work.#startAt(node, node === worker)))
    return work
  }

  /** Resolves when the program runs, with an output that the worker's node holds. */
  async started(): Promise<string> {
    await this.#begun.promise
    const [first] = this.#clients
    if (first === undefined) throw new Error('the worker has no connection')
    return addArtifact(first, new TextEncoder().encode('late'), { name: 'late' })
  }

  /** Commits as the worker. Resolves with the COMMIT's id, or null when the node says that the lease is gone. */
  async commit(thread: string, output: string): Promise<string | null> {
    const params = { thread, outputs: [output], telemetry: TELEMETRY }
    const said = await this.#clients[0]?.call('agent.commit', params).catch(() => null)
    return said?.envelope ?? null
  }

  finish(): void {
    this.#finished.resolve()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    for (const client of this.#clients) client.close()
    await Promise.allSettled(this.#running)
  }

  async #startAt(node: NodeProcess, isWorker: boolean): Promise<void> {
    const client = await connect({ home: node.home })
    if (isWorker) this.#clients.unshift(client)
    else this.#clients.push(client)
    const announced = Promise.withResolvers<void>()
    const init = {
      capability: this.capability,
      program: isWorker ? this.#held() : done,
      signal: this.#stop.signal,
      onEvent: ({ type }: { readonly type: string }) => {
        if (type === 'announced') announced.resolve()
      }
    }
    const running = isWorker ? runWorker(client, init) : runVerifier(client, init)
    this.#running.push(running)
    running.catch(error => announced.reject(error))
    await announced.promise
  }

  #held(): Program {
    return {
      name: 'held',
      run: async input => {
        this.#begun.resolve()
        await this.#finished.promise
        return done.run(input, undefined as never)
      }
    }
  }
}

const done: Program = {
  name: 'held',
  run: async () => ({ output: new TextEncoder().encode('done') })
}
