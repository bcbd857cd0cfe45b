import type { GateSetup } from './gate.ts'
import type { PackedChunk } from './packed-chunk.ts'

/** What a thread checks against: the same for the whole record. */
export type WorkerSetup = {
  readonly thread: string
  readonly node: string
  readonly gate: GateSetup | null
}

/** The setup first; then lines to check, whose buffer is handed over. */
export type WorkerMessage =
  | { readonly setup: WorkerSetup }
  | { readonly text: Uint8Array; readonly trusted: boolean }

/** In the order of the tasks; the buffers are handed over. */
export type WorkerAnswer = PackedChunk
