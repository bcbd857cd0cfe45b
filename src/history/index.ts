/**
 * The history of a network on disk and between nodes: this node's log of ended threads with its checkpoints, the logs of others that it
 * witnesses, how a newcomer loads what others know, and where old threads lie.
 *
 * 1. Nothing is signed that is not on disk, and nothing is cosigned that was not recomputed (R20).
 * 2. A log that does not lead to what was signed of it stops the node rather than fork.
 * 3. Threads that are old, and that a stable checkpoint covers or none ever will, move to cold files; nothing that a promise rests on does (R20).
 * 4. What a newcomer loads rests on k witnesses that it names, or on certificates that it checks itself; the result says which.
 *
 * Specification: protocols/checkpoint/README.md.
 */
export { Announcements } from './announcements.ts'
export { answerPeer } from './answers.ts'
export { Checkpointer } from './checkpointer.ts'
export { type ColdFiles, coldFolder, type LogFiles, logFolder } from './cold-files.ts'
export { ColdStore } from './cold-store.ts'
export { type Compaction, Compactor, type Uncertified } from './compactor.ts'
export {
  BadAnswerError,
  ColdDamagedError,
  ColdMissingError,
  HistoryDamagedError,
  SyncFailedError,
  SyncMarkDamagedError
} from './errors.ts'
export { OwnLog } from './own-log.ts'
export {
  HistorySync,
  type SyncedLog,
  type SyncLimits,
  type SyncRequest,
  type SyncResult
} from './sync.ts'
export { tieredArchive } from './tiered-archive.ts'
export { Witness } from './witness.ts'
export { type WitnessedLimits, WitnessedLogs } from './witnessed-logs.ts'
