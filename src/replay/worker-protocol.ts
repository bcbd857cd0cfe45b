import type { CheckedChunk } from './check-chunk.ts'
import type { GateSetup } from './gate.ts'

/** What a thread is started with: the same for the whole record. */
export type WorkerSetup = {
  readonly thread: string
  readonly node: string
  readonly gate: GateSetup | null
}

/** Lines to check; the buffer is handed over. */
export type WorkerTask = { readonly text: Uint8Array; readonly trusted: boolean }

/** In the order of the tasks. */
export type WorkerAnswer = CheckedChunk
