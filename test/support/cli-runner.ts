import { Readable, Writable } from 'node:stream'
import type { Io } from '../../src/cli/io.ts'
import { runCli } from '../../src/cli/run-cli.ts'

export type CliResult = { readonly code: number; readonly stdout: string; readonly stderr: string }

export type CliInit = {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Interrupts as soon as the command listens. */
  readonly interrupted?: boolean
  /** Called with the text so far whenever stdout grows, and how to interrupt. */
  readonly onStdout?: (text: string, interrupt: () => void) => void
}

/** Runs a command line in this process, as the entry of the program does. */
export async function runCommand(argv: readonly string[], init: CliInit = {}): Promise<CliResult> {
  const listeners = new Set<() => void>()
  const interrupt = (): void => {
    for (const listener of listeners) listener()
  }
  const stdout = new Gatherer(text => init.onStdout?.(text, interrupt))
  const stderr = new Gatherer(() => {})
  const io: Io = {
    env: init.env ?? {},
    cwd: init.cwd ?? process.cwd(),
    stdin: Readable.from(init.stdin === undefined ? [] : [Buffer.from(init.stdin as string)]),
    stdout,
    stderr,
    onInterrupt(listener) {
      listeners.add(listener)
      if (init.interrupted === true) queueMicrotask(listener)
      return () => listeners.delete(listener)
    },
    exitNow: () => {}
  }
  const code = await runCli(argv, io)
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

class Gatherer extends Writable {
  readonly #chunks: Buffer[] = []
  readonly #onWrite: (text: string) => void

  constructor(onWrite: (text: string) => void) {
    super()
    this.#onWrite = onWrite
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk)
    done()
    this.#onWrite(this.text())
  }
}
