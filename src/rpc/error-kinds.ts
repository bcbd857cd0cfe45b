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

/** Rows of the table of errors: code, kind, meaning and hint. */
export type ErrorRows = readonly (readonly [
  code: string,
  kind: ErrorKind,
  meaning: string,
  hint?: string
])[]
