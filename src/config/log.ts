import type { FlagsFor } from './flag.ts'

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug'
export type LogFormat = 'text' | 'json'

/** What the node writes to stderr while it runs. */
export type LogConfig = { readonly level: LogLevel; readonly format: LogFormat }

export const logDefaults: LogConfig = { level: 'info', format: 'text' }

export const logFlags: FlagsFor<'log', LogConfig> = {
  'log.level': {
    type: 'text',
    unit: 'LEVEL',
    choices: ['silent', 'error', 'warn', 'info', 'debug'],
    help: 'Least important messages that are still written.'
  },
  'log.format': {
    type: 'text',
    unit: 'FORMAT',
    choices: ['text', 'json'],
    help: 'Lines for people, or one JSON object per line.'
  }
}
