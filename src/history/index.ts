/**
 * The history of a network on disk and between nodes: this node's log of ended threads with its checkpoints, the logs of others that it
 * witnesses, and how a newcomer loads what others know.
 *
 * 1. Nothing is signed that is not on disk, and nothing is cosigned that was not recomputed (R20).
 * 2. A log that does not lead to what was signed of it stops the node rather than fork.
 * 3. What a newcomer loads rests on k witnesses that it names, or on certificates that it checks itself; the result says which.
 *
 * Specification: protocols/checkpoint/README.md.
 */
export { answerPeer } from './answers.ts'
export { Checkpointer } from './checkpointer.ts'
export { BadAnswerError, HistoryDamagedError, SyncFailedError } from './errors.ts'
export { OwnLog } from './own-log.ts'
export { HistorySync, type SyncRequest, type SyncResult } from './sync.ts'
export { Witness } from './witness.ts'
export { WitnessedLogs } from './witnessed-logs.ts'
