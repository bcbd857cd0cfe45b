import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../agents/index.ts'
import type { NodeStatus, SwarmClient } from '../rpc/index.ts'
import { TestnetNodeFailedError } from './errors.ts'
import { POLL_MS, START_TIMEOUT_MS, STOP_TIMEOUT_MS } from './limits.ts'
import { packageRoot } from './package-root.ts'
import type { Role } from './roles.ts'

export type NodeInit = {
  readonly role: Role
  readonly home: string
  readonly network: string
  readonly listen: string
  readonly join: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Options of Node itself; without them those that suit many nodes on one machine. */
  readonly nodeFlags?: readonly string[]
}

type Exit = { readonly status: number | null; readonly signal: NodeJS.Signals | null }

/**
 * A young generation of 2 MB for each half: many nodes share this machine. Start-up would leave V8 with 16 MB of it, which an idle
 * node never needs; a busy one collects a little more often.
 */
const NODE_FLAGS = ['--max-semi-space-size=2']

/**
 * One node in a process of its own. Its settings lie in its home, so that it can be started again by hand with
 * `can-swarm start --home DIR`; its output goes to `node.log` there. It ends with this process: its standard input is a pipe
 * of ours, and it watches the end of it.
 */
export class NodeProcess {
  readonly role: Role
  readonly home: string
  readonly #init: NodeInit
  #child: ChildProcess | null = null
  #exited: Promise<Exit> | null = null
  #client: SwarmClient | null = null
  #status: NodeStatus | null = null

  constructor(init: NodeInit) {
    this.#init = init
    this.role = init.role
    this.home = init.home
  }

  get name(): string {
    return this.role.name
  }

  /** Of the last start; throws before it. */
  get status(): NodeStatus {
    if (this.#status === null) throw this.#failure('has not been started')
    return this.#status
  }

  /** File of everything that the node writes. */
  get logPath(): string {
    return join(this.home, 'node.log')
  }

  get did(): string {
    return this.status.did
  }

  hasDid(did: string): boolean {
    return this.#status?.did === did
  }

  get client(): SwarmClient {
    if (this.#client === null) throw this.#failure('is not running')
    return this.#client
  }

  get isRunning(): boolean {
    return this.#child !== null
  }

  /** Resolves when the process has ended; at once when there is none. */
  get exited(): Promise<Exit> {
    return this.#exited ?? Promise.resolve({ status: null, signal: null })
  }

  /** Starts the process and waits until the node answers. May be called again after the process has ended. */
  async start(signal: AbortSignal): Promise<void> {
    const isFirst = this.#status === null
    if (isFirst) this.#writeSettings({ listen: this.#init.listen, join: this.#init.join })
    this.#spawn()
    const client = await this.#connect(signal)
    this.#client = client
    this.#status = await client.call('node.status', {}, { signal })
    // The port that the system picked is kept, so that the others find the node again after a restart.
    const listen = this.#status.addresses[0]?.replace(/\/p2p\/.*$/u, '')
    if (isFirst && listen !== undefined && this.#init.listen.includes('/127.0.0.1/'))
      this.#writeSettings({ listen, join: this.#init.join })
  }

  /** Stops cleanly, and by force when that takes too long. */
  async stop(): Promise<void> {
    if (this.#child === null) return
    const exited = this.exited
    // A held process would not hear of it.
    this.resume()
    this.#child.kill('SIGTERM')
    const late = new AbortController()
    const timer = delay(STOP_TIMEOUT_MS, 'late' as const, { signal: late.signal })
    if ((await Promise.race([exited, timer.catch(() => null)])) === 'late')
      this.#child?.kill('SIGKILL')
    late.abort()
    await exited
  }

  /** kill -9. Resolves when the process is gone. */
  async kill(): Promise<void> {
    const exited = this.exited
    this.#child?.kill('SIGKILL')
    await exited
  }

  /** Holds the process where it is, as a suspended laptop would: it stays connected and says nothing. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  /** Lets a held process go on. It does not know that time has passed. */
  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** The last line that the node wrote, for error messages. */
  lastWords(): string {
    try {
      const lines = readFileSync(this.logPath, 'utf8').trim().split('\n')
      return lines.at(-1)?.slice(0, 300) ?? ''
    } catch {
      return ''
    }
  }

  #writeSettings(network: { readonly listen: string; readonly join: readonly string[] }): void {
    const { role, home } = this.#init
    mkdirSync(home, { recursive: true, mode: 0o700 })
    const settings = {
      network: {
        name: this.#init.network,
        listen: [network.listen],
        join: network.join,
        mdns: false
      },
      agents: { work: role.work, verify: role.verify }
    }
    const path = join(home, 'config.json')
    writeFileSync(path, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  }

  #spawn(): void {
    const script = join(packageRoot(), 'bin', 'can-swarm.js')
    const log = openSync(this.logPath, 'a', 0o600)
    const args = [...(this.#init.nodeFlags ?? NODE_FLAGS), script, 'start', '--home', this.home]
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', log, log],
      env: { ...this.#init.env, CAN_SWARM_EXIT_WITH_STDIN: '1' },
      // Out of reach of the terminal's Ctrl-C: the launcher stops its nodes in order.
      detached: true
    })
    closeSync(log)
    // A pipe breaks when the node is killed; that is no error of the launcher.
    child.stdin?.on('error', () => undefined)
    this.#child = child
    this.#exited = new Promise(resolve => {
      const ended = (exit: Exit): void => {
        this.#child = null
        this.#client?.close()
        this.#client = null
        resolve(exit)
      }
      child.once('error', () => ended({ status: null, signal: null }))
      child.once('exit', (status, signal) => ended({ status, signal }))
    })
  }

  async #connect(signal: AbortSignal): Promise<SwarmClient> {
    const deadline = performance.now() + START_TIMEOUT_MS
    for (;;) {
      signal.throwIfAborted()
      if (this.#child === null) throw this.#failure(`ended before it was ready${await this.#how()}`)
      const client = await connect({ home: this.home }).catch(() => null)
      if (client !== null) return client
      if (performance.now() > deadline)
        throw this.#failure(`did not answer within ${START_TIMEOUT_MS} ms`)
      await delay(POLL_MS)
    }
  }

  async #how(): Promise<string> {
    const { status, signal } = await this.exited
    return signal === null ? ` with exit status ${status}` : ` by ${signal}`
  }

  #failure(what: string): TestnetNodeFailedError {
    const words = this.lastWords()
    return new TestnetNodeFailedError(
      `${this.name} ${what}${words === '' ? '' : `: ${words}`}; its log is ${this.logPath}`,
      { node: this.name, home: this.home }
    )
  }
}

/** The environment of a node: settings of ours that a user has set for another node must not leak in. */
export function nodeEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passed = /^CAN_SWARM_(NODE|LOG|CONSENSUS|RUNTIME)_/u
  const entries = Object.entries(env).filter(
    ([name]) => !name.startsWith('CAN_SWARM_') || passed.test(name)
  )
  return Object.fromEntries(entries)
}
