import { SwarmError } from '../core/base/index.ts'

/** The own log on disk is not the one that this node signed: going on would fork it. */
export class HistoryDamagedError extends SwarmError {
  readonly code = 'HISTORY_DAMAGED'

  constructor(reason: string) {
    super(
      `the log of ended threads is not what this node has signed (${reason}): restore the folder history/ from a copy made after the newest checkpoint; a log that is begun anew under the same key convicts it`,
      { reason }
    )
  }
}

/** No checkpoint could be loaded from any peer. */
export class SyncFailedError extends SwarmError {
  readonly code = 'SYNC_FAILED'

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message, details)
  }
}

/** A peer's answer breaks the protocol, or contradicts what was signed. */
export class BadAnswerError extends SwarmError {
  readonly code = 'BAD_ANSWER'

  constructor(did: string, message: string) {
    super(`${did} gave a wrong answer: ${message}`, { did })
  }
}

/** A cold file is not where the index says: it was moved or removed. */
export class ColdMissingError extends SwarmError {
  readonly code = 'COLD_MISSING'

  constructor(thread: string, file: string) {
    super(
      `the thread ${thread} lies in cold/${file}, which is not there: put the file back, and ask again`,
      { thread, file }
    )
  }
}

/** A cold file does not hold what was written. */
export class ColdDamagedError extends SwarmError {
  readonly code = 'COLD_DAMAGED'

  constructor(file: string, cause: unknown) {
    super(
      `cold/${file} is damaged (${(cause as Error).message}): put a good copy in its place, or move it away, which loses the threads in it`,
      { file },
      { cause }
    )
  }
}

/** What this node loaded of a log before cannot be read any more. */
export class SyncMarkDamagedError extends SwarmError {
  readonly code = 'SYNC_MARK_DAMAGED'

  constructor(origin: string) {
    const did = origin.slice(origin.lastIndexOf('/') + 1)
    super(
      `how far ${origin} was loaded before cannot be read, so an old checkpoint of it could pass for the newest: load it again with "can-swarm sync --from ${did} --anew", with peers that you trust to be up to date`,
      { origin }
    )
  }
}
