import type { PolicyDecision } from '../../core/policy/index.ts'
import type { SandboxInit } from './sandbox.ts'

/**
 * Messages between the engine and its threads. Any thread can take any of them, a new one too. Inputs travel as JSON
 * text: a string crosses threads faster than a tree of objects, and the wasm parses JSON anyway.
 */

/** A capsule as a thread opens it. */
export type CapsuleSource = {
  /** Text CID. */
  readonly capsule: string
  /** In shared memory, so that sending it costs nothing. */
  readonly wasm: Uint8Array
  readonly sandbox: SandboxInit
}

/** What every thread of a pool is started with. */
export type ThreadData = {
  /** Capsules that need not be sent with each question. */
  readonly sources: readonly CapsuleSource[]
  /** Shared with the engine, one number for each lane: which question of its task is being judged, from 1. */
  readonly progress: Int32Array
}

/** Questions to one capsule, oldest first. */
export type JudgeTask = {
  readonly capsule: string
  /** Null: the thread was started with it. */
  readonly source: CapsuleSource | null
  /** Null: the question nests too deeply for any policy. */
  readonly inputs: readonly (string | null)[]
  readonly lane: number
}

/** Answers to the first questions, one at least: a thread answers in time rather than completely. */
export type JudgeAnswer = readonly PolicyDecision[]

export type VectorText = {
  readonly name: string
  readonly input: string | null
  readonly allow: boolean
  readonly reasons: readonly string[]
  readonly gas: number
}

/** Opens a capsule and runs its vectors. Answered by why it is refused, or null. */
export type CheckTask = { readonly source: CapsuleSource; readonly vectors: readonly VectorText[] }
