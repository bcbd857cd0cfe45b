import type { JournalRecord } from '../core/swarm/index.ts'
import type { Journal, Logger } from '../ports/index.ts'
import { encodeRecord } from './journal-codec.ts'
import type { SeenRecord } from './seen-codec.ts'

/** Bytes of a journal below which it is left as it is: it is read in a moment. */
const COMPACT_BYTES_MIN = 4 * 1024 * 1024
/** The journal is rewritten when it has grown to so many times what was left of it the last time: each byte is rewritten about once. */
const GROWTH = 2

export type CompactionComponents = {
  readonly journal: Journal
  readonly logger: Logger
  /** All that has to stay, as of now. It may be read later, part by part. */
  readonly snapshot: () => Iterable<JournalRecord | SeenRecord>
  /** Bytes of a journal below which it is left as it is. */
  readonly minBytes?: number
  /** The journal failed for good: the node must end (R13). */
  readonly onFatal: (error: Error) => void
}

/** Rewrites the journal without what has become void, now and then, while the node goes on. */
export class Compaction {
  readonly #components: CompactionComponents
  #dueBytes: number
  #running: Promise<void> | undefined

  constructor(components: CompactionComponents) {
    this.#components = components
    this.#dueBytes = components.minBytes ?? COMPACT_BYTES_MIN
  }

  /** Begins when it pays. To be called between two batches, when everything that happened is written. */
  run(): void {
    const { journal, snapshot, minBytes } = this.#components
    if (this.#running !== undefined || journal.size() < this.#dueBytes) return
    this.#running = journal
      .rewrite(encoded(snapshot()))
      .then(() => this.#done(), this.#failed)
      .finally(() => {
        this.#dueBytes = Math.max(minBytes ?? COMPACT_BYTES_MIN, GROWTH * journal.size())
        this.#running = undefined
      })
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  #done(): void {
    const { journal, logger } = this.#components
    logger.debug('the journal was compacted', { bytes: journal.size() })
  }

  readonly #failed = (error: unknown): void => {
    const { logger, onFatal } = this.#components
    const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
    // The node is stopping, and the journal was closed.
    if (code === 'JOURNAL_CLOSED' || cause?.code === 'JOURNAL_CLOSED') return
    if (code === 'JOURNAL_REWRITE') logger.warn(String(error))
    else onFatal(error as Error)
  }
}

/** Encoded as the journal asks for them: it writes a part at a time, and the node goes on in between. */
function* encoded(records: Iterable<JournalRecord | SeenRecord>): Iterable<Uint8Array> {
  for (const record of records) yield encodeRecord(record)
}
