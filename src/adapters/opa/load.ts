import { isDeepStrictEqual } from 'node:util'
import { ok, type Result, refuse } from '../../core/base/index.ts'
import { type PolicyDecision, type PolicyInput, policyText } from '../../core/policy/index.ts'
import type { Capsule } from './capsule.ts'
import { decide } from './decide.ts'
import { CapsuleRefusedError } from './errors.ts'
import type { LoadRequest } from './protocol.ts'
import { type EvaluationLimits, Sandbox } from './sandbox.ts'

/** Answers a question; a trap or a bad answer is a deny. */
export type Judge = (input: PolicyInput) => PolicyDecision

/** Opens wasm that has no capsule yet, in this thread: what a build weighs its vectors with. Refuses what is no policy. */
export function openWasm(
  wasm: Uint8Array,
  init: { readonly entrypoint: string; readonly limits: EvaluationLimits }
): Result<Judge> {
  const created = createSandbox(wasm, { ...init, isMetered: false })
  if (!created.ok) return created
  return ok(input => decide(created.value, policyText(input)))
}

/** Opens a capsule in this thread and runs its vectors. Raises CapsuleRefusedError. A node uses the engine, which has a thread for it. */
export function openCapsule(capsule: Capsule): Judge {
  const loaded = loadSandbox(loadRequest(capsule))
  if (!loaded.ok) throw new CapsuleRefusedError(capsule.cid, flawText(loaded.refusal))
  return input => decide(loaded.value, policyText(input))
}

/** A sandbox whose capsule gives every vector its decision and its gas. Never throws. */
export function loadSandbox({ wasm, sandbox, vectors }: LoadRequest): Result<Sandbox> {
  const created = createSandbox(wasm, sandbox)
  if (!created.ok) return created
  try {
    const failing = vectors.find(
      ({ input, allow, reasons, gas }) =>
        !isDeepStrictEqual(decide(created.value, input), { allow, reasons, gas })
    )
    if (failing === undefined) return created
    return refuse('VECTOR_FAILED', `it fails its conformance vector "${failing.name}"`)
  } catch (error) {
    return unrunnable(error)
  }
}

/** Why a capsule is refused, for people. */
export function flawText({ code, message }: { code: string; message: string }): string {
  return `${message} (${code})`
}

export function loadRequest(capsule: Capsule): LoadRequest {
  const { cid, wasm, metered, entrypoint, limits, vectors } = capsule
  return {
    kind: 'load',
    capsule: cid,
    wasm: metered ?? wasm,
    sandbox: { entrypoint, limits, isMetered: metered !== null },
    vectors: vectors.map(({ name, input, decision }) => ({
      name,
      input: policyText(input),
      allow: decision.allow,
      reasons: decision.reasons,
      gas: decision.gas
    }))
  }
}

function createSandbox(wasm: Uint8Array, init: LoadRequest['sandbox']): Result<Sandbox> {
  try {
    return Sandbox.create(wasm, init)
  } catch (error) {
    return unrunnable(error)
  }
}

function unrunnable(error: unknown): Result<never> {
  return refuse('WASM_UNUSABLE', `its wasm does not run: ${String(error)}`)
}
