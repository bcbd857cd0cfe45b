/**
 * Policies as OPA wasm (R17): metered, fixed memory, the same first bytes for every evaluation, no host builtins. In worker threads, but for a lone and
 * cheap question to a capsule of the program.
 *
 * 1. A trap, an abort, memory, gas or stack that runs out, or a malformed answer is a deny.
 * 2. A wall-clock timeout, a dead worker or a missing capsule is this node's fault: `evaluate` rejects, the caller abstains.
 * 3. A capsule that fails one of its own vectors is never asked.
 * 4. Capsules of strangers have a thread of their own, and nothing that their wasm says is believed before it was metered here.
 * 5. After `stop` nothing of this room keeps the process alive.
 *
 * Specification: protocols/policy/README.md.
 */
export {
  type Capsule,
  type CapsuleBlock,
  loadCapsule,
  loadShippedCapsule,
  parseCapsule,
  parseCapsuleBlock,
  type Vector
} from './capsule.ts'
export {
  CapsuleRefusedError,
  CapsuleUnavailableError,
  PolicyTimeoutError,
  PolicyUnavailableError
} from './errors.ts'
export {
  CAPSULE_BLOCK_BYTES_MAX,
  CAPSULE_GAS_MAX,
  CAPSULE_STACK_MAX,
  CAPSULE_VECTORS_MAX,
  CAPSULE_WASM_BYTES_MAX
} from './limits.ts'
export { type Judge, openCapsule, openWasm } from './load.ts'
export {
  type Alarms,
  EVALUATOR,
  engineHash,
  type OpaPolicyEngine,
  type OpaPolicyEngineInit,
  opaPolicyEngine
} from './opa-policy-engine.ts'
