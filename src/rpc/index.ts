/** JSON-RPC 2.0 over a Unix socket: what it offers, the server and the client. */
export type { ChallengeType, DoctorCheck, Method, MethodResult, Methods, NeedRequest, NodeStatus, Params, Progress, SwarmClient, Telemetry, ThreadSummary } from './methods.ts'
