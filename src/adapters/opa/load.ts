import { isDeepStrictEqual } from 'node:util'
import { ok, type Refusal, type Result, refuse } from '../../core/base/index.ts'
import { type PolicyDecision, type PolicyInput, policyText } from '../../core/policy/index.ts'
import type { Capsule } from './capsule.ts'
import { decide } from './decide.ts'
import { CapsuleRefusedError } from './errors.ts'
import type { CapsuleSource, VectorText } from './protocol.ts'
import { type EvaluationLimits, Sandbox } from './sandbox.ts'

/** Answers a question; a trap or a bad answer is a deny. */
export type Judge = (input: PolicyInput) => PolicyDecision

/** Opens wasm that has no capsule yet, in this thread: what a build weighs its vectors with. Refuses what is no policy. */
export function openWasm(
  wasm: Uint8Array,
  init: { readonly entrypoint: string; readonly limits: EvaluationLimits }
): Result<Judge> {
  const created = openSource({ wasm, sandbox: { ...init, isMetered: false } })
  if (!created.ok) return created
  return ok(input => decide(created.value, policyText(input)))
}

/** Opens a capsule in this thread and runs its vectors. Raises CapsuleRefusedError. A node uses the engine, which has a thread for it. */
export function openCapsule(capsule: Capsule): Judge {
  const loaded = loadSandbox(sourceOf(capsule), vectorsOf(capsule))
  if (!loaded.ok) throw new CapsuleRefusedError(capsule.cid, flawText(loaded.refusal))
  return input => decide(loaded.value, policyText(input))
}

/** A sandbox whose capsule gives every vector its decision and its gas. Never throws. */
export function loadSandbox(
  source: CapsuleSource,
  vectors: readonly VectorText[]
): Result<Sandbox> {
  const created = openSource(source)
  if (!created.ok) return created
  try {
    const failing = vectors.find(
      ({ input, allow, reasons, gas }) =>
        !isDeepStrictEqual(decide(created.value, input), { allow, reasons, gas })
    )
    if (failing === undefined) return created
    return { ok: false, refusal: vectorFailed(failing.name) }
  } catch (error) {
    return unrunnable(error)
  }
}

/** Opens a capsule without its vectors. Never throws. */
export function openSource({ wasm, sandbox }: Omit<CapsuleSource, 'capsule'>): Result<Sandbox> {
  try {
    return Sandbox.create(wasm, sandbox)
  } catch (error) {
    return unrunnable(error)
  }
}

export function vectorFailed(name: string): Refusal {
  return { code: 'VECTOR_FAILED', message: `it fails its conformance vector "${name}"` }
}

/** Why a capsule is refused, for people. */
export function flawText({ code, message }: { code: string; message: string }): string {
  return `${message} (${code})`
}

/** What a thread needs to open a capsule. */
export function sourceOf({ cid, wasm, metered, entrypoint, limits }: Capsule): CapsuleSource {
  return {
    capsule: cid,
    wasm: shared(metered ?? wasm),
    sandbox: { entrypoint, limits, isMetered: metered !== null }
  }
}

export function vectorsOf({ vectors }: Capsule): VectorText[] {
  return vectors.map(({ name, input, decision: { allow, reasons, gas } }) => ({
    name,
    input: policyText(input),
    allow,
    reasons,
    gas
  }))
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}

function unrunnable(error: unknown): Result<never> {
  return refuse('WASM_UNUSABLE', `its wasm does not run: ${String(error)}`)
}
