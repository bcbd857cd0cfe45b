/**
 * SHA-256 by the platform's own library, for every process that works through many envelopes: a node, a simulation, a replay. A test
 * holds it and the core's own to the same answer.
 */
export { nodeSha256, useNodeSha256 } from './node-sha256.ts'
