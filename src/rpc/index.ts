/**
 * JSON-RPC 2.0, one object per line, over a Unix socket: what a node offers its CLI, REPL and agents.
 *
 * The caller's duties:
 * 1. A handler rejects with a SwarmError; for a refusal of the protocol with RefusedError. Code, message and hint cross the wire.
 * 2. A handler that streams bytes awaits `context.drained()` after each piece; one that streams events need not, and a
 *    reader that falls OUTGOING_BYTES_MAX behind is cut with SLOW_READER.
 * 3. A handler registers its listeners before its first await: requests take effect in the order they arrive.
 *
 * Invariants: every method has a schema and an access level (`METHODS`); every code has an entry in `ERROR_CODES`; a local
 * client and a socket pass the same checks.
 */
export { connect } from './client.ts'
export type { Handlers, RequestContext } from './dispatch.ts'
export { describeError, exitCodeOf, rpcNumberOf } from './error-codes.ts'
export { ERROR_KINDS, type ErrorKind } from './error-kinds.ts'
export { ERROR_AREAS, ERROR_CODES, type ErrorEntry } from './error-table.ts'
export {
  AlreadyRunningError,
  CancelledError,
  ConnectionLostError,
  NodeNotRunningError,
  RefusedError,
  RemoteError
} from './errors.ts'
export { type FactText, factFlaw, factOf, factTextOf } from './facts.ts'
export { forwardEvents } from './forward-events.ts'
export { INLINE_BYTES_MAX, LINE_BYTES_MAX } from './limits.ts'
export { localClient } from './local-client.ts'
export type {
  AskedPolicy,
  CapsuleOrigin,
  CapsuleSummary,
  ChallengeType,
  CheckpointSummary,
  DoctorCheck,
  EvidenceSummary,
  Method,
  MethodResult,
  Methods,
  NeedRequest,
  NodeStatus,
  Params,
  Progress,
  SwarmClient,
  SyncedLog,
  Telemetry,
  ThreadSummary
} from './methods.ts'
export { type CallPlanChanges, planChanges } from './plan-changes.ts'
export { type Access, METHOD_NAMES, METHODS } from './schemas.ts'
export { type RpcServer, type RpcServerInit, rpcServer } from './server.ts'
