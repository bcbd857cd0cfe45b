import type { Archive, ArchiveEntry, ArchivePlace } from '../../ports/index.ts'

/** An archive in memory, for tests and virtual nodes. Give the same map to two of them, and the second finds what the first kept. */
export function memoryArchive(kept: Map<string, ArchiveEntry> = new Map()): Archive {
  return {
    put: async entries => {
      for (const entry of entries) kept.set(entry.thread, copyOf(entry))
    },
    get: async thread => kept.get(thread),
    line: async thread => kept.get(thread),
    drop: async threads => {
      for (const thread of threads) kept.delete(thread)
    },
    list: async ({ limit, before }) =>
      [...kept.values()]
        .filter(entry => before === undefined || compare(entry, before) < 0)
        .sort((a, b) => compare(b, a))
        .slice(0, limit),
    count: () => kept.size,
    close: async () => undefined
  }
}

function copyOf(entry: ArchiveEntry): ArchiveEntry {
  const { thread, openedAt, summary, records } = entry
  return {
    thread,
    openedAt,
    summary: summary.slice(),
    records: records.map(record => record.slice())
  }
}

function compare(a: ArchivePlace, b: ArchivePlace): number {
  if (a.openedAt !== b.openedAt) return a.openedAt - b.openedAt
  return a.thread < b.thread ? -1 : a.thread > b.thread ? 1 : 0
}
