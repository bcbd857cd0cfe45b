import { SwarmError } from '../../core/base/index.ts'

/** The archive of ended threads cannot be opened: held by another process, damaged, or not permitted. */
export class ArchiveUnavailableError extends SwarmError {
  readonly code = 'ARCHIVE_UNAVAILABLE'

  constructor(path: string, cause: unknown) {
    const reason = (cause as { cause?: { message?: string } }).cause?.message ?? String(cause)
    super(
      `the archive ${path} cannot be opened (${reason}): see that no other program uses it; if it is damaged, move the folder away, which loses nothing but old threads`,
      { path },
      { cause }
    )
  }
}

/** The log of ended threads cannot be opened: held by another process, damaged, or not permitted. */
export class HistoryUnavailableError extends SwarmError {
  readonly code = 'HISTORY_UNAVAILABLE'

  constructor(path: string, cause: unknown) {
    const reason = (cause as { cause?: { message?: string } }).cause?.message ?? String(cause)
    super(
      `the log of ended threads ${path} cannot be opened (${reason}): see that no other program uses it; a damaged one must not be begun anew under the same key, since others hold checkpoints of it: restore it, or make a new home`,
      { path },
      { cause }
    )
  }
}
