/**
 * The driver around the pure machine, and the one door (R4).
 *
 * The caller's duties:
 * 1. Give every adapter started, but for the network, which is started after `Driver.start`.
 * 2. End the process when `onFatal` is called (R13).
 * 3. Close the journal after `Driver.stop`, not before.
 *
 * What holds:
 * 1. No effect leaves before the records of its batch are on disk.
 * 2. No envelope, own or foreign, reaches the machine but through the door.
 * 3. Every queue is bounded; what does not fit is dropped and counted, or refused with BUSY.
 */
export { archivedParts, decodeSummary, encodeArchived } from './archive-codec.ts'
export {
  BATCH_BYTES_MAX,
  BATCH_ITEMS_MAX,
  packMessages,
  type Unpacked,
  unpackMessages
} from './batch-codec.ts'
export { type Admission, Door, type DoorComponents, type Origin } from './door.ts'
export {
  Driver,
  type DriverComponents,
  type DriverInit,
  type DriverStats
} from './driver.ts'
export { JournalRecordError } from './errors.ts'
export {
  COMMANDS_QUEUED_MAX,
  ENVELOPES_QUEUED_MAX,
  MESSAGES_QUEUED_MAX,
  PEER_BYTES_QUEUED_MAX,
  PEER_MESSAGES_QUEUED_MAX,
  QUEUED_BYTES_MAX
} from './input-queue.ts'
export { decodeRecord, decodeStored, encodeRecord } from './journal-codec.ts'
export { Lanes } from './lanes.ts'
export type { Machine } from './machine.ts'
export { decodeMessage, encodeMessage } from './message-codec.ts'
export type { Part } from './outlet.ts'
export { PeerPace } from './peer-pace.ts'
export { PlanSync, type PlanSyncComponents, type PlanSyncStats } from './plan-sync.ts'
export type { SeenRecord } from './seen-codec.ts'
