import { SwarmError } from '../../core/base/index.ts'

/** Bytes of the journal that had been on the disk are damaged. Raised at open; nothing has been changed on disk. */
export class JournalCorruptError extends SwarmError {
  readonly code = 'JOURNAL_CORRUPT'

  constructor(details: { readonly path: string; readonly offset: number; readonly what: string }) {
    super(
      `the journal ${details.path} is damaged at byte ${details.offset}: ${details.what}. Promises that this node made may be lost, so it does not start. ` +
        'Restore the file from a copy made after the last run, or move the home away and run `can-swarm init` for a new identity',
      details
    )
  }
}

/** The journal was written by a release with another format. Raised at open. */
export class JournalVersionError extends SwarmError {
  readonly code = 'JOURNAL_VERSION'

  constructor(details: { readonly path: string; readonly found: number; readonly known: number }) {
    super(
      `the journal ${details.path} has format ${details.found}, and this release reads format ${details.known}: start the release that wrote it`,
      details
    )
  }
}

/** A write or an fsync failed. Every later append fails the same way; the node must end (R13). */
export class JournalFailedError extends SwarmError {
  readonly code = 'JOURNAL_FAILED'

  constructor(path: string, cause: unknown) {
    const system = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    super(
      `the journal ${path} cannot be written (${system}): ${remedyFor(system)}`,
      { path, system },
      { cause }
    )
  }
}

/** A shorter journal could not be written. The old one is as it was, and goes on. */
export class JournalRewriteError extends SwarmError {
  readonly code = 'JOURNAL_REWRITE'

  constructor(path: string, cause: unknown) {
    const system = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    super(
      `the journal ${path} could not be written anew without what is void (${system}); it grows on and is tried again later: ${remedyFor(system)}`,
      { path, system },
      { cause }
    )
  }
}

/** An append after `close`. */
export class JournalClosedError extends SwarmError {
  readonly code = 'JOURNAL_CLOSED'

  constructor(path: string) {
    super(`the journal ${path} is closed: start the node again to write`, { path })
  }
}

function remedyFor(system: string): string {
  switch (system) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full; free some space and start the node again'
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return 'the file may not be written; check the permissions of the home and start the node again'
    case 'EIO':
      return 'the disk reports an error; check it before the node is started again'
    default:
      return 'find the cause and start the node again'
  }
}
