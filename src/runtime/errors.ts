import { SwarmError } from '../core/base/index.ts'

/** A journal record is whole but means nothing to this release. Raised at start, before anything was sent. */
export class JournalRecordError extends SwarmError {
  readonly code = 'JOURNAL_RECORD'

  constructor(number: number, reason: string) {
    super(
      `record ${number} of the journal cannot be read (${reason}): start the release that wrote it, or move the home away and run \`can-swarm init\``,
      { number, reason }
    )
  }
}
