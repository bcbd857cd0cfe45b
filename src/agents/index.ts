/**
 * The SDK: agents that take part in the swarm through a node of the same machine. This is what `import ... from 'can-swarm'`
 * gives, what `can-swarm work` and `can-swarm verify` are made of, and what a node hosts as builtin agents.
 *
 * The caller's duties:
 * 1. A program that is to be verified is deterministic; see `Program`.
 * 2. An agent ends with an error when its node goes away: connect again and run it again. It goes on where the thread is.
 *
 * Invariants: every step follows from a fresh view of the thread, never from memory alone; a program runs at most once for each
 * lease; a verifier that cannot judge says nothing.
 */
export type { Phase, SwarmEvent, ThreadView } from '../core/swarm/index.ts'
export type { NeedRequest, SwarmClient, Telemetry } from '../rpc/index.ts'
export type { AgentInit } from './agent-init.ts'
export { addArtifact, type FetchInit, fetchAll, fetchArtifact } from './artifacts.ts'
export { type ConnectInit, connect } from './connect.ts'
export {
  ArtifactMissingError,
  ArtifactTooLargeError,
  JobAbortedError,
  PlanBudgetError,
  PlanCycleError,
  PlanInputMissingError,
  PlanInvalidError,
  PlanTaskFailedError,
  PlanTooLargeError,
  ProgramFailedError,
  ProgramTimeoutError
} from './errors.ts'
export type { AgentEvent, OnAgentEvent } from './events.ts'
export { type Compare, type Finding, sameBytes } from './judgement.ts'
export { type CheckedPlan, checkPlan } from './plan/check-plan.ts'
export type { Plan, PlanProgram, PlanTask, TaskInput } from './plan/plan.ts'
export type { Program, ProgramContext, ProgramResult, ProgramTelemetry } from './program.ts'
export { builtinProgram } from './programs/builtin.ts'
export { type CommandInit, commandProgram } from './programs/command-program.ts'
export {
  type IdentifiedText,
  languageProgram,
  parseIdentified
} from './programs/language-program.ts'
export { countWords, decodeCounts, type WordCounts } from './programs/words.ts'
export { runVerifier, type VerifierInit } from './verifier.ts'
export { type WaitInit, waitForThread } from './wait-for-thread.ts'
export { runWorker, type WorkerInit } from './worker.ts'
