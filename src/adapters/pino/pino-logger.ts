import { pino } from 'pino'
import type { Logger } from '../../ports/index.ts'

export type PinoLoggerInit = {
  readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug'
  readonly format: 'text' | 'json'
  /** Where lines go; stderr unless given. */
  readonly write?: (line: string) => void
}

/** A logger with named details. Text lines are `time level message key=value ...`. */
export function pinoLogger(init: PinoLoggerInit): Logger {
  const write = init.write ?? (line => process.stderr.write(line))
  const target = { write: init.format === 'json' ? write : (line: string) => write(textOf(line)) }
  const log = pino(
    { level: init.level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    target
  )
  return {
    error: (message, details) => log.error(details ?? {}, message),
    warn: (message, details) => log.warn(details ?? {}, message),
    info: (message, details) => log.info(details ?? {}, message),
    debug: (message, details) => log.debug(details ?? {}, message)
  }
}

const LEVELS: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error'
}

function textOf(line: string): string {
  const { time, level, msg, ...details } = JSON.parse(line) as {
    time: string
    level: number
    msg: string
  }
  const pairs = Object.entries(details).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`
  )
  return `${time.slice(11, 19)} ${LEVELS[level] ?? level} ${msg}${pairs.join('')}\n`
}
