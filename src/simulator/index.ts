/**
 * The core in a virtual world: many nodes in one process, with a network, disks and clocks that are driven by one seed. A run is a
 * function of its seed and options, so that what failed once fails again. See docs/simulator.md.
 *
 * 1. What runs is the machine that nodes run: `Swarm` with all below it, and the parsing and sealing of envelopes. What is virtual is what is
 *    around it: time, network, disk, keys (see `Signatures`), the policy engine.
 * 2. Effects run in the order in which the machine gave them; what stands after a synced write waits for it (R13).
 * 3. A crash loses what was not synced, or all but a prefix of it.
 * 4. The checkers share no code with what they check: they read bytes, disks and messages.
 */
export type { RuleName, Violation } from './checkers/violation.ts'
export { CAPSULE, draftOf, INPUT, needDraft, OUTPUT, WRONG_OUTPUT } from './drafts.ts'
export { SimulatorWorkerError, TraceFailedError } from './errors.ts'
export { FAULT_NAMES, FAULTS, type FaultName } from './faults.ts'
export type { Plan, SeedOptions } from './plan.ts'
export type { WorldPolicy } from './policy.ts'
export { runSeeds, type SeedFailure, type SeedsInit, type SeedsReport } from './run-seeds.ts'
export { type SeededRandom, seededRandom } from './seeded-random.ts'
export {
  ed25519Signatures,
  fastSignatures,
  type Keys,
  type SignatureName,
  type Signatures,
  signaturesOf
} from './signatures.ts'
export { type SeedResult, simulate } from './simulate.ts'
export type { VirtualNode } from './virtual-node.ts'
export type { Witness } from './witness.ts'
export { VirtualWorld, type WorldInit } from './world.ts'
