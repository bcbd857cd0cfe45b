import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { waitForThread } from '../../src/agents/index.ts'
import { TERMINAL, type ThreadView } from '../../src/core/swarm/index.ts'
import type { NeedRequest } from '../../src/rpc/index.ts'
import { type NodeProcess, packageRoot, Testnet } from '../../src/testnet/index.ts'

/** Windows in ms that end a healthy job in two seconds and a broken one soon after its NEED expires. */
export const SHORT_WINDOWS = {
  bidMs: 300,
  leaseTtlMs: 1500,
  verifyMs: 4000,
  sealMs: 150,
  revealMs: 2000,
  challengeMs: 300
} as const
/** ms after its NEED's expiry within which every thread must have ended on every node, whatever happened. */
export const END_WITHIN_MS = 2 * SHORT_WINDOWS.verifyMs + 12_000

/** Nodes that see each other. They are gone when `stopTestnet` has been called, and when this process ends in any way. */
export async function startTestnet(
  init: {
    readonly nodes?: number
    readonly capability?: string
    /** What the nodes can do as well. */
    readonly more?: readonly string[]
    readonly workers?: number
    readonly unplug?: string
  } = {}
): Promise<Testnet> {
  const { more = [], workers } = init
  const env = { ...process.env, ...(init.unplug && { CAN_SWARM_NODE_UNPLUG: init.unplug }) }
  const testnet = await Testnet.start({
    nodes: init.nodes ?? 5,
    capability: init.capability ?? 'text/language',
    more,
    ...(workers === undefined ? {} : { workers }),
    env
  })
  await testnet.connected()
  return testnet
}

export async function stopTestnet(testnet: Testnet | null | undefined): Promise<void> {
  await testnet?.stop()
  if (testnet) rmSync(testnet.dir, { recursive: true, force: true })
}

/** States a NEED on the shipped input with short windows. Returns the thread. */
export async function stateNeed(
  node: NodeProcess,
  given: Partial<NeedRequest> = {}
): Promise<string> {
  const { windows, ...rest } = given
  const request: NeedRequest = {
    capability: 'text/language',
    ...(rest.inputCid === undefined && { inputPath: inputPath() }),
    // A loaded machine is slow; a job that ends does not wait for it.
    ttlMs: 20_000,
    ...rest,
    windows: { ...SHORT_WINDOWS, ...windows }
  }
  return (await node.client.call('need.state', request)).thread
}

export function inputPath(): string {
  return join(packageRoot(), 'testnet', 'inputs', 'udhr-10.txt')
}

/** The thread's end on a node; rejects when it does not come in time. */
export function endOf(node: NodeProcess, thread: string, withinMs = 20_000): Promise<ThreadView> {
  return viewWhen(node, thread, view => TERMINAL.has(view.phase), withinMs)
}

/** The thread on a node when it is where the test wants it. */
export async function viewWhen(
  node: NodeProcess,
  thread: string,
  until: (view: ThreadView) => boolean,
  withinMs = 20_000
): Promise<ThreadView> {
  const signal = AbortSignal.timeout(withinMs)
  let last = 'nothing'
  const onView = (view: ThreadView): void => {
    last = `${view.phase}: ${view.reason}`
  }
  for (;;) {
    try {
      return await waitForThread(node.client, thread, { signal, until, onView })
    } catch (error) {
      if (signal.aborted)
        throw new Error(`${node.name} did not get there within ${withinMs} ms, it shows ${last}`)
      // Late to the party: the thread is not known here yet.
      if ((error as { code?: unknown }).code !== 'THREAD_NOT_FOUND') throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}

/** The running node with this DID. */
export function nodeOf(testnet: Testnet, did: string | undefined): NodeProcess {
  const node = testnet.running.find(one => did !== undefined && one.hasDid(did))
  if (node === undefined) throw new Error(`no running node is ${did}`)
  return node
}

export type Finished = {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The program as a child process. */
export class Cli {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  #stdout = ''
  #stderr = ''

  /** `root`: folder of the program's package; this one's by default. */
  constructor(argv: readonly string[], env: NodeJS.ProcessEnv = {}, root = packageRoot()) {
    this.child = spawn(process.execPath, [join(root, 'bin', 'can-swarm.js'), ...argv], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe']
    })
    this.child.stdout?.on('data', chunk => {
      this.#stdout += chunk
    })
    this.child.stderr?.on('data', chunk => {
      this.#stderr += chunk
    })
    this.finished = new Promise(resolve => {
      this.child.once('close', status =>
        resolve({ status, stdout: this.#stdout, stderr: this.#stderr })
      )
    })
  }

  /** Resolves when the text has appeared on stdout; rejects when the process ends without it. */
  printed(text: string): Promise<string> {
    return this.#shows(text, this.child.stdout, () => this.#stdout)
  }

  /** The same for stderr. */
  complained(text: string): Promise<string> {
    return this.#shows(text, this.child.stderr, () => this.#stderr)
  }

  async #shows(text: string, stream: Readable | null, soFar: () => string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = (): void => {
      if (soFar().includes(text)) resolve()
    }
    stream?.on('data', look)
    look()
    void this.finished.then(({ stderr }) =>
      reject(new Error(`ended without printing ${text}: ${stderr}`))
    )
    await promise
    stream?.off('data', look)
    return soFar()
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal)
    return this.finished
  }
}

/** Runs the program to its end. */
export function runCli(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const cli = new Cli(argv, env)
  cli.child.stdin?.end()
  return cli.finished
}

/** A folder that the caller removes. Short, because a socket's path is. */
export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), 'can-swarm-e2e-'))
}
