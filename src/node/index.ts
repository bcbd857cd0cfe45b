/**
 * The composition root: a configuration becomes a running node. One file says the order (create-node.ts); the others are what it composes.
 */
export { createNode, type SwarmNode } from './create-node.ts'
export { RequestRefusedError, ThreadNotFoundError } from './errors.ts'
export { openSealedFile } from './records.ts'
export { VERSION } from './version.ts'
