import type { Readable, Writable } from 'node:stream'
import type { Environment } from '../config/index.ts'

/** The process as the program sees it, so that tests can be the process. */
export type Io = {
  readonly env: Environment
  readonly cwd: string
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  /** Calls back on every SIGINT and SIGTERM; returns how to leave. */
  readonly onInterrupt: (listener: () => void) => () => void
  /** Ends the process without waiting for anything. */
  readonly exitNow: (code: number) => void
}

/** This process. */
export function processIo(): Io {
  return {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    onInterrupt(listener) {
      process.on('SIGINT', listener).on('SIGTERM', listener)
      return () => void process.off('SIGINT', listener).off('SIGTERM', listener)
    },
    exitNow: code => process.exit(code)
  }
}
