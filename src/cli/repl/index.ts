/**
 * The console on a running node: `node` with short methods over JSON-RPC, promises awaited by themselves, completion,
 * history in the home.
 */
export { evaluate } from './evaluate.ts'
export { type NodeApi, nodeApi } from './node-api.ts'
export { openRepl, type ReplOptions, startRepl } from './start-repl.ts'
