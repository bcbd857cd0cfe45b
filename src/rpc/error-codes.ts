import { SwarmError } from '../core/base/index.ts'

/**
 * What kind of failure a code is: its JSON-RPC number and the exit status of a command that ends with it. Programs
 * switch on the code; the number and the status are coarser.
 */
export const ERROR_KINDS = {
  failure: { rpc: -32_001, exit: 1, meaning: 'it failed' },
  bug: { rpc: -32_603, exit: 1, meaning: 'a bug in this program' },
  usage: { rpc: -32_602, exit: 2, meaning: 'asked wrongly' },
  'not-found': { rpc: -32_003, exit: 3, meaning: 'no such thing' },
  denied: { rpc: -32_004, exit: 4, meaning: 'denied by policy or rule' },
  timeout: { rpc: -32_005, exit: 5, meaning: 'not in time' },
  unreachable: { rpc: -32_069, exit: 69, meaning: 'the node cannot be reached' },
  busy: { rpc: -32_075, exit: 75, meaning: 'in use, or try again' },
  config: { rpc: -32_078, exit: 78, meaning: 'settings or home are unusable' },
  interrupted: { rpc: -32_030, exit: 130, meaning: 'interrupted by the caller' }
} as const

export type ErrorKind = keyof typeof ERROR_KINDS
export type ErrorEntry = {
  readonly kind: ErrorKind
  readonly meaning: string
  readonly hint: string
}

const entry = (kind: ErrorKind, meaning: string, hint: string): ErrorEntry => ({
  kind,
  meaning,
  hint
})

/** Every code that a user can meet. docs/errors.md is generated from it; a test proves it total over src/. */
export const ERROR_CODES: Readonly<Record<string, ErrorEntry>> = {
  ASSERTION: entry(
    'bug',
    'An invariant does not hold.',
    'Please report it with the log of the node.'
  ),
  INTERNAL: entry(
    'bug',
    'An error that nobody foresaw.',
    'Please report it with the log of the node.'
  )
}

/** Entry of a code; an unlisted one counts as a plain failure. */
export function errorEntry(code: string): ErrorEntry {
  return Object.hasOwn(ERROR_CODES, code) ? (ERROR_CODES[code] as ErrorEntry) : UNLISTED
}

const UNLISTED: ErrorEntry = entry('failure', '', '')

/** Code, message and hint of anything that was thrown. */
export function describeError(error: unknown): { code: string; message: string; hint: string } {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const own = (error as { hint?: unknown } | null)?.hint
  return {
    code,
    message,
    hint: typeof own === 'string' && own !== '' ? own : errorEntry(code).hint
  }
}

/** Exit status of a command that ends with this code. */
export function exitCodeOf(code: string): number {
  return ERROR_KINDS[errorEntry(code).kind].exit
}

/** JSON-RPC number of a code. */
export function rpcNumberOf(code: string): number {
  return PROTOCOL_NUMBERS[code] ?? ERROR_KINDS[errorEntry(code).kind].rpc
}

/** JSON-RPC 2.0 reserves numbers for its own failures. */
const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  REQUEST_INVALID: -32_600,
  METHOD_UNKNOWN: -32_601
}

function codeOf(error: unknown): string {
  if (error instanceof SwarmError) return error.code
  return error instanceof Error && error.name === 'AssertionError' ? 'ASSERTION' : 'INTERNAL'
}
