import type { ErrorKind } from './error-kinds.ts'

/** Why wasm is no policy, by the code of the metering rules. All are denied alike. */
const MEANINGS: readonly (readonly [code: string, meaning: string])[] = [
  ['METERING_MALFORMED', 'The wasm of a policy is not a WebAssembly module.'],
  ['METERING_LIMIT', 'The wasm of a policy is above a limit of the metering rules.'],
  ['METERING_INDEX', 'The wasm of a policy names something that is not there.'],
  ['METERING_IMPORT', 'The wasm of a policy imports more than a policy may.'],
  ['METERING_EXPORT', 'The wasm of a policy exports what it may not, or under a reserved name.'],
  ['METERING_START', 'The wasm of a policy starts with an imported function.'],
  ['METERING_MEMORY', 'The wasm of a policy wants another memory than the one it is given.'],
  ['METERING_MULTI_MEMORY', 'The wasm of a policy uses more than one memory.'],
  ['METERING_TABLE', 'The wasm of a policy has more than one table.'],
  ['METERING_SEGMENT', 'The wasm of a policy has a passive or otherwise odd segment.'],
  ['METERING_SIMD', 'The wasm of a policy uses vectors.'],
  ['METERING_THREADS', 'The wasm of a policy uses threads.'],
  ['METERING_TAIL_CALL', 'The wasm of a policy uses tail calls.'],
  ['METERING_EXCEPTION', 'The wasm of a policy uses exceptions.'],
  ['METERING_REFERENCE', 'The wasm of a policy uses references.'],
  ['METERING_MULTI_VALUE', 'The wasm of a policy gives several values at once.'],
  ['METERING_BULK_MEMORY', 'The wasm of a policy uses passive data.'],
  ['METERING_INSTRUCTION', 'The wasm of a policy uses an instruction that policies may not.'],
  ['WASM_INVALID', 'The wasm of a policy is not valid.'],
  ['WASM_UNUSABLE', 'The wasm of a policy lacks what the evaluator calls, or needs the host.']
]

export const METERING_ROWS: readonly (readonly [code: string, kind: ErrorKind, meaning: string])[] =
  MEANINGS.map(([code, meaning]) => [code, 'denied', meaning])
