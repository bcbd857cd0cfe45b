import type { Writable } from 'node:stream'
import { TestnetInterruptedError } from './errors.ts'

export type Out = Writable & { readonly isTTY?: boolean }

/** What the commands of a testnet have in common. Streams and environment are those of the process unless given. */
export type TestnetIo = {
  readonly stdout?: Out
  readonly stderr?: Out
  readonly env?: NodeJS.ProcessEnv
  /** Ends the command and everything that it started. Default: SIGINT or SIGTERM of this process. */
  readonly signal?: AbortSignal
}

/** Fills in what was not given. `release` gives the process's signals back. */
export function withDefaults(
  io: TestnetIo
): Required<TestnetIo> & { readonly release: () => void } {
  const streams = {
    stdout: io.stdout ?? process.stdout,
    stderr: io.stderr ?? process.stderr,
    env: io.env ?? process.env
  }
  if (io.signal !== undefined) return { ...streams, signal: io.signal, release: () => undefined }
  const controller = new AbortController()
  const onSignal = (): void => controller.abort(new TestnetInterruptedError('interrupted'))
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const release = (): void => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  return { ...streams, signal: controller.signal, release }
}
