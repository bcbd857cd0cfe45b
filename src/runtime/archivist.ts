import {
  ArchivedAnswer,
  type ArchivedThread,
  type PeerMessage,
  type Pull
} from '../core/swarm/index.ts'
import type { Archive, Logger } from '../ports/index.ts'
import { archivedParts, encodeArchived } from './archive-codec.ts'
import type { Counters } from './counters.ts'

export type ArchivistComponents = {
  readonly archive: Archive
  readonly logger: Logger
  readonly dropped: Counters
  /** A thread is in the archive and survives a crash. */
  readonly archived: (thread: string) => void
  readonly send: (to: string, messages: readonly PeerMessage[]) => void
}

/** Pulls that wait for the disk, as many as one hello names. Who is not answered asks again. */
const RECALLS_WAITING_MAX = 1_024
/** Ids named in all pulls that wait: what they weigh. */
const RECALL_IDS_WAITING_MAX = 65_536

type Recall = { readonly to: string; readonly pull: Pull }

/** Moves ended threads to the archive, and answers peers out of it, one at a time: live threads come first. */
export class Archivist {
  readonly #components: ArchivistComponents
  #leaving: { readonly thread: string; readonly archived: ArchivedThread }[] = []
  readonly #recalls: Recall[] = []
  #recallIds = 0
  #work: Promise<void> | undefined

  constructor(components: ArchivistComponents) {
    this.#components = components
  }

  /** Keeps a thread; says so when it is on disk. A failure is logged: the machine asks again. */
  keep(thread: string, archived: ArchivedThread): void {
    this.#leaving.push({ thread, archived })
    this.#work ??= this.#run()
  }

  /** Answers a pull, when its turn comes and there is room for it. */
  recall(to: string, pull: Pull): void {
    const ids = this.#recallIds + pull.have.length
    if (this.#recalls.length >= RECALLS_WAITING_MAX || ids > RECALL_IDS_WAITING_MAX)
      return this.#components.dropped.add('recall-queue-full')
    this.#recallIds = ids
    this.#recalls.push({ to, pull })
    this.#work ??= this.#run()
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#work !== undefined) await this.#work
  }

  async #run(): Promise<void> {
    // What one batch of effects lets go of goes in one write.
    await Promise.resolve()
    while (this.#leaving.length + this.#recalls.length > 0) {
      if (this.#leaving.length > 0) await this.#store(this.#leaving.splice(0))
      const recall = this.#recalls.shift()
      if (recall !== undefined) await this.#answer(recall)
    }
    this.#work = undefined
  }

  async #store(leaving: readonly { thread: string; archived: ArchivedThread }[]): Promise<void> {
    const { archive, archived, logger, dropped } = this.#components
    try {
      await archive.put(leaving.map(item => encodeArchived(item.archived)))
    } catch (error) {
      dropped.add('archive-failed', leaving.length)
      logger.error('ended threads could not be archived and stay in memory', {
        threads: leaving.length,
        error: String(error)
      })
      return
    }
    for (const { thread } of leaving) archived(thread)
  }

  async #answer({ to, pull }: Recall): Promise<void> {
    this.#recallIds -= pull.have.length
    const { archive, logger, send } = this.#components
    try {
      const entry = await archive.get(pull.thread)
      if (entry === undefined) return
      const answer = new ArchivedAnswer(pull)
      for (const part of archivedParts(entry)) {
        for (const record of part) {
          if (!record.ok)
            return logger.warn('an archived thread cannot be read', { ...record.refusal })
          answer.take(record.value)
        }
        await new Promise(setImmediate)
      }
      send(to, answer.messages())
    } catch (error) {
      logger.error('the archive cannot be read', { thread: pull.thread, error: String(error) })
    }
  }
}
