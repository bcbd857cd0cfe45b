/**
 * A network of real nodes on this machine: separate processes, homes and keys, the same program that runs elsewhere. For a first
 * look (`testnet demo`), for playing (`testnet up`), and for tests that need processes that can be killed.
 *
 * 1. Every command takes an optional signal and cleans up when it aborts; without one it listens to SIGINT and SIGTERM itself.
 * 2. Commands write to stdout and stderr themselves and return an exit status; what is asked wrongly throws a SwarmError.
 * 3. No node outlives its launcher: it watches its standard input, which the launcher holds.
 */
export { type DemoInit, runDemo } from './demo.ts'
export type { DemoReport, ReplayVerdict, Timings } from './demo-report.ts'
export { threadTimings } from './demo-report.ts'
export { NodeProcess, nodeEnvironment } from './node-process.ts'
export { difference } from './outcome.ts'
export { packageRoot } from './package-root.ts'
export { type PlanDemoInit, runPlanDemo } from './plan-demo.ts'
export type { PlanReport, TaskReport } from './plan-report.ts'
export { type Role, rolesOf } from './roles.ts'
export { type DownInit, down, type StatusInit, status } from './status.ts'
export { Testnet, type TestnetInit } from './testnet.ts'
export type { TestnetIo } from './testnet-io.ts'
export { joinCommands, type UpInit, up } from './up.ts'
