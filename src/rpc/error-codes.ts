import { AssertionError, SwarmError } from '../core/base/index.ts'
import { ERROR_KINDS } from './error-kinds.ts'
import { ERROR_CODES, type ErrorEntry } from './error-table.ts'

/** Entry of a code; an unlisted one counts as a plain failure. */
function errorEntry(code: string): ErrorEntry {
  return Object.hasOwn(ERROR_CODES, code) ? (ERROR_CODES[code] as ErrorEntry) : UNLISTED
}

const UNLISTED: ErrorEntry = { kind: 'failure', meaning: '', hint: '' }

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
  return error instanceof AssertionError ? 'ASSERTION' : 'INTERNAL'
}
