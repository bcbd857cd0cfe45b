import { type ChildProcess, spawn } from 'node:child_process'
import { basename } from 'node:path'
import { ProgramFailedError, ProgramTimeoutError } from '../errors.ts'
import {
  ARTIFACT_BYTES_MAX,
  KILL_GRACE_MS,
  PROGRAM_TIMEOUT_MS,
  STDERR_BYTES_MAX
} from '../limits.ts'
import type { Program } from '../program.ts'

export type CommandInit = {
  /** ms that the command may run. */
  readonly timeoutMs?: number
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Any command as a program: the input on stdin, stdout becomes the artifact. Rejects with ProgramFailedError when it cannot be
 * started, ends with a status other than 0, by a signal, or prints nothing; with ProgramTimeoutError when it does not end in time.
 * It is stopped together with everything that it started.
 */
export function commandProgram(argv: readonly string[], init: CommandInit = {}): Program {
  const command = argv[0]
  if (command === undefined || command === '')
    throw new ProgramFailedError('no command: write it after --, such as -- tr a-z A-Z')
  const name = basename(command)
  return {
    name,
    run: async (input, { signal }) => {
      const output = await runCommand([command, ...argv.slice(1)], input, { ...init, signal })
      return { output, telemetry: { tool: name, exitStatus: 0 } }
    }
  }
}

type Run = CommandInit & { readonly signal: AbortSignal }
type Ended = { readonly status: number | null; readonly signal: NodeJS.Signals | null }

async function runCommand(
  argv: readonly [string, ...string[]],
  input: Uint8Array,
  run: Run
): Promise<Uint8Array> {
  run.signal.throwIfAborted()
  const { timeoutMs = PROGRAM_TIMEOUT_MS } = run
  const [command, ...rest] = argv
  const child = spawn(command, rest, {
    cwd: run.cwd,
    env: run.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that it can be stopped with all its children.
    detached: true
  })
  const stopped = new AbortController()
  const onAbort = (): void => stopped.abort(run.signal.reason)
  const onExit = (): void => killGroup(child, 'SIGKILL')
  run.signal.addEventListener('abort', onAbort, { once: true })
  process.once('exit', onExit)
  const timer = setTimeout(
    () => stopped.abort(new ProgramTimeoutError(`${command} did not end within ${timeoutMs} ms`)),
    timeoutMs
  )
  try {
    return await collect(child, command, input, stopped)
  } finally {
    clearTimeout(timer)
    run.signal.removeEventListener('abort', onAbort)
    process.off('exit', onExit)
    // What the command left running in the background.
    killGroup(child, 'SIGKILL')
  }
}

async function collect(
  child: ChildProcess,
  command: string,
  input: Uint8Array,
  stopped: AbortController
): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  let complaint = Buffer.alloc(0)
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= ARTIFACT_BYTES_MAX) chunks.push(chunk)
    else
      stopped.abort(
        new ProgramFailedError(`${command} printed more than ${ARTIFACT_BYTES_MAX} bytes`)
      )
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = Buffer.concat([complaint, chunk]).subarray(-STDERR_BYTES_MAX)
  })
  // A command that does not read its input closes the pipe early; its exit status says whether that was right.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  const ended = await race(child, command, stopped.signal)
  const stderr = complaint.toString('utf8').trim()
  if (ended.status !== 0) throw failure(command, ended, stderr)
  if (size === 0)
    throw new ProgramFailedError(`${command} printed nothing${tail(stderr)}`, { status: 0, stderr })
  return Buffer.concat(chunks, size)
}

function race(child: ChildProcess, command: string, stopped: AbortSignal): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>()
  child.once('error', cause =>
    reject(new ProgramFailedError(`${command} cannot be run: ${cause.message}`, {}, { cause }))
  )
  child.once('close', (status, signal) => resolve({ status, signal }))
  const onStop = (): void => {
    killGroup(child, 'SIGTERM')
    const timer = setTimeout(() => killGroup(child, 'SIGKILL'), KILL_GRACE_MS)
    // Not `close`: a process that left the group may hold the pipes for ever.
    child.once('exit', () => {
      clearTimeout(timer)
      reject(stopped.reason)
    })
  }
  stopped.addEventListener('abort', onStop, { once: true })
  if (stopped.aborted) onStop()
  return promise
}

function failure(command: string, ended: Ended, stderr: string): ProgramFailedError {
  const how =
    ended.signal === null
      ? `ended with exit status ${ended.status}`
      : `was ended by ${ended.signal}`
  return new ProgramFailedError(`${command} ${how}${tail(stderr)}`, { ...ended, stderr })
}

function tail(stderr: string): string {
  const last = stderr.split('\n').at(-1)
  return last === undefined || last === '' ? '' : `: ${last}`
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // Nobody of the group is left.
  }
}
