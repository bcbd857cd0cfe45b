/** An ended thread on its way into the archive. The bytes mean nothing to the archive. */
export type ArchiveEntry = {
  /** The thread's id. */
  readonly thread: string
  /** When this node first saw it, ms since 1970: the order of lists. */
  readonly openedAt: number
  /** What a list shows of it. */
  readonly summary: Uint8Array
  /** What brings it back, in order. */
  readonly records: readonly Uint8Array[]
}

/** Where in the order of lists a thread stands: by `openedAt`, then by id. */
export type ArchivePlace = Pick<ArchiveEntry, 'thread' | 'openedAt'>

export type ArchiveListing = Pick<ArchiveEntry, 'thread' | 'openedAt' | 'summary'>

/** Ended threads on disk, for as long as the home lives. */
export interface Archive {
  /** All of them or none; resolves when they survive a crash. A thread that is there is replaced; its `openedAt` never changes. */
  put(entries: readonly ArchiveEntry[]): Promise<void>
  get(thread: string): Promise<ArchiveEntry | undefined>
  /** Its line of the list, without its records. */
  line(thread: string): Promise<ArchiveListing | undefined>
  /** Forgets these threads, lines and records: all of them or none; resolves when that survives a crash. Those that are not there are no matter. */
  drop(threads: readonly string[]): Promise<void>
  /** The newest first, from just before a place on. */
  list(options: {
    readonly limit: number
    readonly before?: ArchivePlace
  }): Promise<readonly ArchiveListing[]>
  /** Threads in it. */
  count(): number
  close(): Promise<void>
}
