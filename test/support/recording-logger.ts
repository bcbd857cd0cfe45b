import type { Logger } from '../../src/ports/index.ts'

/** One line that was logged. */
export type LogLine = {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Keeps what is logged, for tests that assert on warnings. */
export type RecordingLogger = Logger & { readonly lines: readonly LogLine[] }

/** A logger that keeps its lines. */
export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = []
  const at =
    (level: LogLine['level']) =>
    (message: string, details: Readonly<Record<string, unknown>> = {}) => {
      lines.push({ level, message, details })
    }
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }
}
