import type { PolicyDecision } from '../../core/policy/index.ts'
import type { SandboxInit } from './sandbox.ts'

/**
 * Messages between the engine and its worker thread. Requests are handled in order; each has exactly one answer. Inputs travel
 * as JSON text: a string crosses threads faster than a tree of objects, and the wasm parses JSON anyway.
 */
export type WorkerRequest = LoadRequest | EvaluateRequest | UnloadRequest

export type LoadRequest = {
  readonly kind: 'load'
  readonly capsule: string
  readonly wasm: Uint8Array
  readonly sandbox: SandboxInit
  readonly vectors: readonly VectorText[]
}

export type VectorText = {
  readonly name: string
  readonly input: string | null
  readonly allow: boolean
  readonly reasons: readonly string[]
  readonly gas: number
}

export type EvaluateRequest = {
  readonly kind: 'evaluate'
  readonly capsule: string
  /** Null: it nests too deeply for any policy. */
  readonly input: string | null
}

/** Forgets a capsule. */
export type UnloadRequest = { readonly kind: 'unload'; readonly capsule: string }

export type WorkerAnswer =
  /** `flaw`: why the capsule is refused, or null. */
  | { readonly kind: 'loaded'; readonly capsule: string; readonly flaw: string | null }
  | { readonly kind: 'unloaded' }
  | ({ readonly kind: 'decided' } & PolicyDecision)
