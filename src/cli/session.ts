import { resolve } from 'node:path'
import {
  ConfigInvalidError,
  type ConfigProblem,
  type FlagValues,
  type LoadedConfig,
  loadConfig,
  socketPath
} from '../config/index.ts'
import type { Method, MethodResult, Params, Progress, SwarmClient } from '../rpc/index.ts'
import { InterruptedError, TimeoutError, UsageError } from './errors.ts'
import type { Io } from './io.ts'
import { Output } from './output.ts'

/** Options that every command takes. */
export type GlobalOptions = {
  readonly home?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color?: boolean
  /** ms */
  readonly timeout?: number
}

/** ms that a call has when the user sets no --timeout and the command is not a long one. */
const CALL_TIMEOUT_MS = 30_000

/** One run of one command: its output, its settings, its connection to the node, its end. */
export class Session {
  readonly io: Io
  readonly out: Output
  /** Aborts on Ctrl-C and when --timeout passes. */
  readonly signal: AbortSignal
  readonly timeoutMs: number | null
  exitCode = 0
  readonly #options: GlobalOptions
  readonly #controller = new AbortController()
  readonly #atEnd: (() => void)[] = []
  #client: Promise<SwarmClient> | null = null

  constructor(io: Io, options: GlobalOptions) {
    this.io = io
    this.#options = options
    this.out = new Output(io, {
      json: options.json === true,
      quiet: options.quiet === true,
      color: options.color !== false
    })
    this.signal = this.#controller.signal
    this.timeoutMs = options.timeout ?? null
    this.#atEnd.push(
      io.onInterrupt(() => this.#controller.abort(new InterruptedError('interrupted')))
    )
    if (this.timeoutMs !== null) this.#abortAfter(this.timeoutMs)
  }

  /** Settings of the node that the command is about. `flags` are those of the command itself. */
  load(flags: FlagValues = {}): LoadedConfig {
    try {
      return loadConfig({ env: this.io.env, flags: { ...flags, 'home.dir': this.#options.home } })
    } catch (cause) {
      if (!(cause instanceof ConfigInvalidError) || !cause.problems.every(isFromFlag)) throw cause
      throw new UsageError(cause.message, { problems: cause.problems }, { cause })
    }
  }

  socketPath(): string {
    return socketPath(this.load().config.home.dir, this.io.env)
  }

  /** The connection to the running node; opened once. */
  client(): Promise<SwarmClient> {
    this.#client ??= this.#connect()
    return this.#client
  }

  /** One call. `long`: no time limit of its own. */
  async call<M extends Method>(
    method: M,
    params: Params<M>,
    options: { readonly long?: boolean; readonly onProgress?: (data: Progress) => void } = {}
  ): Promise<MethodResult<M>> {
    const client = await this.client()
    const limit = new AbortController()
    // The limit is this call's own: a command that goes on to follow a thread must not end by it.
    const timer =
      options.long === true || this.timeoutMs !== null
        ? undefined
        : setTimeout(() => limit.abort(timeoutError(CALL_TIMEOUT_MS)), CALL_TIMEOUT_MS)
    const signal = AbortSignal.any([this.signal, limit.signal])
    const { onProgress } = options
    try {
      return await client.call(method, params, onProgress ? { signal, onProgress } : { signal })
    } finally {
      clearTimeout(timer)
    }
  }

  /** A path as the user means it. The node may have been started in another folder. */
  path(path: string): string {
    return resolve(this.io.cwd, path)
  }

  end(): void {
    for (const end of this.#atEnd) end()
    this.#client?.then(
      client => client.close(),
      () => {}
    )
  }

  async #connect(): Promise<SwarmClient> {
    const { connect } = await import('../rpc/index.ts')
    return connect(this.socketPath())
  }

  #abortAfter(ms: number): void {
    const timer = setTimeout(() => this.#controller.abort(timeoutError(ms)), ms)
    this.#atEnd.push(() => clearTimeout(timer))
  }
}

/** What only the command line got wrong is a mistake of usage, not of the settings. */
function isFromFlag({ source }: ConfigProblem): boolean {
  return source.startsWith('--')
}

function timeoutError(ms: number): TimeoutError {
  return new TimeoutError(`no result within ${ms} ms: try again with a longer --timeout`)
}
