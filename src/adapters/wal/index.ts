/**
 * The write-ahead log on disk: one append-only file, `Journal` of ports/journal.ts (R13).
 *
 * The caller's duties:
 * 1. Hold the home's lock: two writers on one file are not detected here.
 * 2. End the process once an append has rejected. What reached the disk is then unknown, and so is what may be promised.
 *
 * What holds:
 * 1. A synced append that resolved is there after any crash.
 * 2. Records come back complete, in order, and only from the front: no record is skipped.
 * 3. A rewrite leaves the old file or the new one, at whatever point it is cut short, and no append is lost by it.
 * 4. What was not synced may be lost by a power cut, in any order of its pages; the next open cuts from the first that is bad. Damage to what is known to
 *    have been on the disk (a mark follows it, see format.ts) refuses to open.
 */
export {
  JournalClosedError,
  JournalCorruptError,
  JournalFailedError,
  JournalRewriteError,
  JournalVersionError
} from './errors.ts'
export { RECORD_BYTES_MAX } from './format.ts'
export { type WalFile, type WalFiles, type WalInit, walJournal } from './wal-journal.ts'
