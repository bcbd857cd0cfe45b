/**
 * In-memory twins of the ports, for tests and virtual nodes. They fail where the real ones fail.
 */
export {
  type CrashOptions,
  MemoryDisk,
  MemoryJournalClosedError,
  MemoryJournalFailedError,
  memoryJournal
} from './memory-journal.ts'
